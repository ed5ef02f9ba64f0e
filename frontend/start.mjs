// Loads the page's WebAssembly; Trunk.toml puts this into the page. A failure matters: without a word the page would say
// "Loading…" for ever. And once the page stands, the picture, a module of its own, is loaded when somebody opens it: by its
// button or by #picture in the address.
function start(glue, wasm) {
  glue.then((module) => module.default({ module_or_path: wasm })).then(picture, failure);
}

function failure() {
  const line = document.querySelector("#shell .connection");
  if (!line) return;
  line.classList.add("refused");
  line.setAttribute("role", "status");
  line.textContent = "This page could not start: its WebAssembly did not load. Reload it, or try a current browser.";
}

function picture() {
  const button = document.querySelector("#picture-button");
  const section = document.querySelector("#picture");
  let loading;
  const show = async () => {
    const open = location.hash == "#picture" && !button.hidden;
    button.ariaPressed = open;
    section.hidden = !open;
    if (!open && !loading) return;
    try {
      loading ??= import("./luxwire-picture.js");
      const module = await loading;
      await module.default();
      // Somebody may have closed it meanwhile.
      if (section.hidden) module.unmount();
      else module.mount(section, document.documentElement.dataset.client);
    } catch {
      loading = null;
      section.textContent = "The picture could not be loaded. Close it and open it again, or reload the page.";
    }
  };
  button.onclick = () => {
    history.replaceState(null, "", section.hidden ? "#picture" : location.pathname + location.search);
    show();
  };
  onhashchange = show;
  show();
}
