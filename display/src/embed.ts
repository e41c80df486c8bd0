// Where the screen stands: a page of its own, or a picture within a report or a notebook, with its recording inside it.
const held = document.getElementById("reel");

/** What is held in the page: base64 of a compressed reel (src/opencram/display/reel.py), or null where a server is asked. */
export const embedded = held?.textContent ?? null;

/** What the address would say of view, time, theme and language; a page around us may say at which second to begin. */
export const query = new URLSearchParams(embedded === null ? location.search : held!.dataset.query);

export const secondAsked = embedded === null ? null : /^#t=(\d+(?:\.\d+)?)$/.exec(around())?.[1] ?? null;

function around(): string {
  try {
    return parent.location.hash;
  } catch {
    return ""; // a page of another origin, which keeps its address to itself
  }
}
