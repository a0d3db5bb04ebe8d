"use strict";
const seen = new Map();

for (const part of document.querySelectorAll("[data-part]")) seen.set(part.dataset.part, part.outerHTML);

const keyOf = (details) => details.dataset.key || details.querySelector("summary")?.textContent;

function exchange(old, fresh) {
  const open = new Set([...old.querySelectorAll("details[open]")].map(keyOf));
  for (const details of fresh.querySelectorAll("details")) if (open.has(keyOf(details))) details.open = true;
  const focused = old.contains(document.activeElement) ? document.activeElement.id : "";
  old.replaceWith(fresh);
  if (focused) document.getElementById(focused)?.focus({ preventScroll: true });
}

function update(container, wanted) {
  const names = new Set();
  let previous = null;
  for (const fresh of [...wanted.children]) {
    const name = fresh.dataset.part, html = fresh.outerHTML;
    names.add(name);
    let current = container.querySelector(`:scope > [data-part="${CSS.escape(name)}"]`);
    if (!current) {
      if (previous) previous.after(fresh); else container.prepend(fresh);
      current = fresh;
    } else if (seen.get(name) !== html) {
      exchange(current, fresh);
      current = fresh;
    }
    seen.set(name, html);
    previous = current;
  }
  for (const part of [...container.children]) {
    if (part.dataset.part && !names.has(part.dataset.part)) { seen.delete(part.dataset.part); part.remove(); }
  }
}

async function look() {
  try {
    if (!document.hidden) {
      const answer = await fetch(location.pathname.replace(/\/$/, "") + "/live", { signal: AbortSignal.timeout(5000) });
      if (answer.ok) {
        const page = new DOMParser().parseFromString(await answer.text(), "text/html");
        for (const container of page.querySelectorAll("[data-live]")) update(document.getElementById(container.id), container);
      }
    }
  } catch { /* The demo was ended, or is busy: the next look tells. */ }
  setTimeout(look, 1000);
}

const body = document.getElementById("body");
for (const button of document.querySelectorAll("[data-suggestion]")) {
  button.addEventListener("click", () => { body.value = button.dataset.suggestion; body.focus(); });
}
document.getElementById("comment").addEventListener("submit", async (event) => {
  event.preventDefault();
  const form = event.target;
  const answer = await fetch(form.action, { method: "POST", body: new URLSearchParams(new FormData(form)) });
  if (answer.ok) body.value = "";
});
body.addEventListener("keydown", (event) => {
  if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) event.target.form.requestSubmit();
});
setTimeout(look, 1000);
