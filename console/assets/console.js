// Keeps what is shown up to date, and leaves alone what somebody is about to do.
(() => {
  "use strict";
  const live = document.querySelector("[data-live]");
  if (!live || !live.hasChildNodes()) return;
  let latest = null;
  const isBusy = () => {
    const at = document.activeElement;
    return live.contains(at) && ["INPUT", "SELECT", "TEXTAREA"].includes(at.tagName);
  };
  // The nth of what can have the focus keeps it.
  const reach = () => [...live.querySelectorAll("a[href], button, summary, input, select, [tabindex]")];
  const show = () => {
    if (latest === null || isBusy()) return;
    const at = reach().indexOf(document.activeElement);
    const open = [...live.querySelectorAll("details[open][id]")].map((one) => one.id);
    const scrolled = [...live.querySelectorAll(".wide")].map((one) => one.scrollLeft);
    live.innerHTML = latest;
    latest = null;
    for (const id of open) document.getElementById(id)?.setAttribute("open", "");
    live.querySelectorAll(".wide").forEach((one, n) => { one.scrollLeft = scrolled[n] ?? 0; });
    if (at >= 0) reach()[at]?.focus({ preventScroll: true });
  };
  let source = null;
  const listen = () => {
    source = new EventSource(location.href);
    source.onmessage = (event) => { latest = event.data; show(); };
    source.onopen = () => document.body.classList.remove("stale");
    source.onerror = () => {
      document.body.classList.add("stale");
      // A session that is over, or a console that is: whoever looks is told by the page itself.
      if (source.readyState === EventSource.CLOSED) setTimeout(listen, 5000);
    };
  };
  live.addEventListener("focusout", () => setTimeout(show));
  document.addEventListener("visibilitychange", () => {
    if (document.hidden) source?.close(); else listen();
  });
  if (!document.hidden) listen();
})();
