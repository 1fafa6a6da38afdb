// Keys of a page sit on real links, buttons and fields (`data-keys="a"`, or "g q" one after the other). They never fire in
// a field, with a modifier, or once the person has switched them off.
"use strict";
(() => {
  const OFF = "headrace-keys-off";
  const SEQUENCE_MS = 1500;
  let first = "", since = 0;
  const isOff = () => localStorage.getItem(OFF) === "1";
  const inField = (target) => target.closest("input, select, textarea, [contenteditable]") !== null;
  const marked = (press) => [...document.querySelectorAll("[data-keys]")].find((one) => one.dataset.keys === press && !one.disabled);

  const follow = (element) => {
    if (element.matches("input, select, textarea")) element.focus();
    else element.click();
  };

  document.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.altKey || event.metaKey || event.repeat || event.defaultPrevented) return;
    if (inField(event.target)) { if (event.key === "Escape") event.target.blur(); return; }
    if (isOff() || document.querySelector("dialog[open]")) return;
    const sequence = first && event.timeStamp - since < SEQUENCE_MS ? `${first} ${event.key}` : "";
    let found = (sequence && marked(sequence)) || marked(event.key);
    if (!found && event.key === "/") found = document.querySelector("main .filters input:not([type=hidden]), main .filters select");
    first = event.key; since = event.timeStamp;
    if (found) { event.preventDefault(); first = ""; follow(found); }
  });

  document.addEventListener("click", (event) => {
    const opener = event.target.closest("[data-shows]");
    if (opener) document.getElementById(opener.dataset.shows).showModal();
    const change = event.target.closest("[data-switch-keys]");
    if (change) { if (isOff()) localStorage.removeItem(OFF); else localStorage.setItem(OFF, "1"); say(change); }
    // A second click or Enter on a button that has sent its form does nothing.
    const sent = event.target.closest("form[data-sent] button");
    if (sent) event.preventDefault();
  });
  document.addEventListener("submit", (event) => {
    if (event.target.method === "post") setTimeout(() => { event.target.dataset.sent = "1"; });
  });
  addEventListener("pageshow", () => document.querySelectorAll("form[data-sent]").forEach((form) => delete form.dataset.sent));

  const say = (button) => { button.textContent = isOff() ? "Switch single keys on" : "Switch single keys off"; };
  document.querySelectorAll("[data-shows]").forEach((button) => { button.hidden = false; });
  document.querySelectorAll("[data-switch-keys]").forEach(say);
  document.querySelectorAll("[data-keys]").forEach((one) => {
    if (!one.dataset.keys.includes(" ")) one.setAttribute("aria-keyshortcuts", one.dataset.keys);
  });
})();
