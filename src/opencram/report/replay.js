"use strict";
/* Opens the replay: the page of the operator display, which this report holds whole, in a frame of its own.
   It asks nothing of anybody; report.html#t=17.6 opens it at that second. */
(() => {
  const held = document.getElementById("replay-page");
  const button = document.getElementById("open-replay");
  if (!held || !button || !("DecompressionStream" in window)) return;
  const open = async () => {
    button.disabled = true;
    const packed = Uint8Array.from(atob(held.textContent), (c) => c.charCodeAt(0));
    const plain = new Blob([packed]).stream().pipeThrough(new DecompressionStream("deflate"));
    const frame = document.createElement("iframe");
    frame.title = button.dataset.title;
    frame.srcdoc = await new Response(plain).text();
    button.replaceWith(frame);
    frame.focus();
  };
  button.addEventListener("click", () => void open());
  button.hidden = false;
  if (/^#t=\d/.test(location.hash)) void open();
})();
