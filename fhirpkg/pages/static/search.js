"use strict";
// Narrows a list down to what is typed; without this script the whole list can be read.
const field = document.querySelector("form[role=search] input");
const items = [...document.querySelectorAll("[data-list] > li")];
const told = document.querySelector("[data-found]");
const plain = (text) => text.toLowerCase().normalize("NFD").replace(/\p{M}/gu, "");
function narrow() {
  const words = plain(field.value).split(/\s+/).filter(Boolean);
  let shown = 0;
  for (const item of items) {
    item.hidden = !words.every((word) => item.dataset.words.includes(word));
    shown += !item.hidden;
  }
  if (!told) return;
  const { found, all } = told.dataset;
  told.textContent = words.length ? found.replace("{count}", shown).replace("{all}", items.length) : all;
}
if (items.length) {
  const asked = new URLSearchParams(location.search).get("q");
  if (told && asked) field.value = asked;
  field.addEventListener("input", narrow);
  narrow();
}
