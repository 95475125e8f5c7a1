// Keeps what is shown up to date, and leaves alone what somebody is about to do.
(() => {
  "use strict";
  const live = document.querySelector("[data-live]");
  if (!live || !live.hasChildNodes()) return;
  let latest = null;
  // What somebody points at, or has come to, stays where it is until they leave it.
  const isBusy = () => live.querySelector(":is(form, button):is(:hover, :focus-within)") !== null;
  // What it is, wherever it stands by now: a button of another row is another one.
  const name = (one) => [
    one.closest("[id]").id, one.name,
    ...(one.form ? [...one.form.querySelectorAll("[type=hidden]")].map((field) => field.value)
      : [one.getAttribute("href") ?? one.getAttribute("aria-label") ?? one.textContent]),
  ].join("\n");
  const called = (kind, wanted) => [...live.querySelectorAll(kind)].filter((one) => name(one) === wanted);
  const show = () => {
    const isHeld = latest !== null && isBusy();
    live.classList.toggle("held", isHeld);
    if (latest === null || isHeld) return;
    const focus = document.activeElement;
    const held = live.contains(focus) && [focus.tagName, name(focus), called(focus.tagName, name(focus)).indexOf(focus)];
    const typed = [...live.querySelectorAll("input:not([type=hidden])")].filter((one) => one.value !== one.defaultValue);
    const kept = typed.map((one) => [name(one), one.value]);
    const open = [...live.querySelectorAll("details[open][id]")].map((one) => one.id);
    const scrolled = [...live.querySelectorAll(".wide")].map((one) => one.scrollLeft);
    live.innerHTML = latest;
    latest = null;
    for (const id of open) document.getElementById(id)?.setAttribute("open", "");
    for (const [wanted, text] of kept) {
      for (const field of called("input:not([type=hidden])", wanted)) field.value = text;
    }
    live.querySelectorAll(".wide").forEach((one, n) => { one.scrollLeft = scrolled[n] ?? 0; });
    if (!held) return;
    const [kind, wanted, at] = held;
    const same = called(kind, wanted);
    (same[at] ?? same.at(-1) ?? document.getElementById("main")).focus({ preventScroll: true });
  };
  let source = null;
  const listen = () => {
    source?.close();
    source = new EventSource(location.href);
    source.onmessage = (event) => { latest = event.data; show(); };
    source.onopen = () => document.body.classList.remove("stale");
    source.onerror = () => {
      document.body.classList.add("stale");
      // A session that is over, or a console that is.
      if (source.readyState === EventSource.CLOSED) setTimeout(() => document.hidden || listen(), 5000);
    };
  };
  for (const leaves of ["focusout", "mouseout"]) live.addEventListener(leaves, () => setTimeout(show));
  document.addEventListener("visibilitychange", () => {
    if (document.hidden) source?.close(); else listen();
  });
  if (!document.hidden) listen();
})();
