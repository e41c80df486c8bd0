export const classNames = ["mortar", "rocket", "shell", "aircraft", "drone", "bird"] as const;
export const PROJECTILES: ReadonlySet<string> = new Set(["mortar", "rocket", "shell"]);
