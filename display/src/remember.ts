// What this browser remembers for its user.  A page within another may be denied that: then nothing is remembered.

export function remembered(key: string): string {
  try {
    return localStorage.getItem(key) ?? "";
  } catch {
    return "";
  }
}

export function remember(key: string, value: string): void {
  try {
    localStorage.setItem(key, value);
  } catch {
    // Denied: the screen works all the same.
  }
}
