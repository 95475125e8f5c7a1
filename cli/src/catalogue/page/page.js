// Finds entries by words, and opens the one that a link leads to.
"use strict";

const input = document.getElementById("find");
const found = document.getElementById("found");
const entries = [...document.querySelectorAll("details.entry")];
const groups = [...document.querySelectorAll("section")].reverse();
// What each says, in small letters: read once, when somebody first looks for something.
let texts;

const search = () => {
  const words = input.value.toLowerCase().split(/\s+/).filter(Boolean);
  texts ||= entries.map((entry) => `${entry.id} ${entry.textContent}`.toLowerCase());
  let count = 0;
  entries.forEach((entry, at) => {
    entry.hidden = !words.every((word) => texts[at].includes(word));
    count += entry.hidden ? 0 : 1;
  });
  for (const group of groups) {
    group.hidden = words.length > 0 && !group.querySelector("details.entry:not([hidden])");
  }
  found.textContent = words.length > 0 ? `${count} of ${entries.length}` : "";
};

// Opens what is named behind the # of the address, whatever is looked for at the moment.
const open = () => {
  const target = document.getElementById(location.hash.slice(1));
  if (!target) return;
  if (target.closest("[hidden]")) {
    input.value = "";
    search();
  }
  for (let at = target.closest("details"); at; at = at.parentElement.closest("details")) at.open = true;
  target.scrollIntoView();
};

input.addEventListener("input", search);
input.addEventListener("keydown", (event) => {
  if (event.key === "Escape") {
    input.value = "";
    search();
  } else if (event.key === "Enter") {
    const first = entries.find((entry) => !entry.hidden);
    if (!first) return;
    // The key would shut it again.
    event.preventDefault();
    first.open = true;
    first.querySelector("summary").focus();
  }
});
document.addEventListener("keydown", (event) => {
  if (event.key !== "/" || event.ctrlKey || event.metaKey || event.altKey || event.target === input) return;
  event.preventDefault();
  input.focus();
});
addEventListener("hashchange", open);
// A link to what the address names already changes nothing there.
document.addEventListener("click", (event) => {
  const link = event.target.closest("a[href^='#']");
  if (link && link.getAttribute("href") === location.hash) open();
});
if (input.value) search();
open();
