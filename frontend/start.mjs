// What Trunk's loader reports. Only the failure matters here: without it the page would say "Loading…" for ever.
export default function start() {
  return {
    onStart() {},
    onProgress() {},
    onComplete() {},
    onSuccess() {},
    onFailure() {
      const line = document.querySelector("#shell .connection");
      if (!line) return;
      line.classList.add("refused");
      line.setAttribute("role", "status");
      line.textContent = "This page could not start: its WebAssembly did not load. Reload it, or try a current browser.";
    },
  };
}
