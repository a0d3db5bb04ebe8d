"use strict";
const $ = (id) => document.getElementById(id);
const staging = document.body.dataset.staging, stagingHost = new URL(staging).hostname;
const pullFrame = $("pull-frame"), stagingFrame = $("staging-frame"), previewFrame = $("preview-frame");
const port = new URL(staging).port;

let state = { done: [], pulls: {}, visits: {}, staging: {} };
let path = "/cart";          // the page of the shop that both sides show
let pull = "";               // the number of the pull request whose preview is shown
let asked = "";              // a preview that was asked for by a click, before the world has seen it opened
let shown = "";              // what the preview's frame shows: its address and who answers there
let reached = "";            // the origin of the preview that its frame has shown since it last answered
let answered = null;         // how often staging was deployed to when its frame was loaded
let wanted = "";             // what "Take me there" looks for in the page on the left, once that is loaded
let newest = 0;              // the newest visit that was followed

/** Load an address without a step in the history of this page: Back leads where it led before. */
function load(frame, url) {
  frame.hidden = false;
  if (frame.getAttribute("src")) frame.contentWindow.location.replace(url); else frame.src = url;
}

function show(pane) {
  document.body.dataset.show = pane;
  for (const tab of document.querySelectorAll("[data-tab]")) tab.setAttribute("aria-pressed", String(tab.dataset.tab === pane));
  document.querySelector(`[data-tab="${pane}"]`).classList.remove("news");
}

/** From now on both sides show this page of the shop, and the button of its name is down. */
function turnTo(where) {
  path = where;
  for (const button of document.querySelectorAll("[data-path]")) button.setAttribute("aria-pressed", String(button.dataset.path === path));
}

/** What the preview's frame shows at an address: it, and who answers there. */
const served = (url, seen) => [url, ...seen.serving].join(" ");

function goTo(where) {
  turnTo(where);
  load(stagingFrame, staging + path);
  shown = "";
  preview();
}

/** Show the preview of the pull request, or in words why there is none. */
function preview() {
  const seen = state.pulls[pull], link = seen?.link && new URL(seen.link);
  // While the comment shows no link its address may lead elsewhere; what is shown already stays until nothing answers.
  const reachable = seen?.linked || (reached && reached === link?.origin);
  const runs = Boolean(link && seen.serving.length && reachable && (seen.opened || asked === pull));
  previewFrame.hidden = !runs;
  $("preview-none").hidden = runs;
  $("preview-out").hidden = !runs;
  $("preview-where").textContent = seen ? `of #${pull}` + (runs ? ` · ${link.host}${path}` : "") : "";
  $("staging-where").textContent = `shared by all · ${new URL(staging).host}${path}`;
  $("staging-out").href = staging + path;
  if (!runs) {
    shown = reached = "";
    words(seen, link);
    return;
  }
  const url = link.origin + path;
  $("preview-out").href = url;
  if (shown !== served(url, seen)) {
    load(previewFrame, url);
    if (document.body.dataset.show !== "preview") document.querySelector('[data-tab="preview"]').classList.add("news");
  }
  shown = served(url, seen);
  reached = link.origin;
}

function words(seen, link) {
  let text = "There is no preview yet. Press a button on the page with the pull requests.";
  if (seen?.linked && seen.serving.length) text = `The preview of #${pull} is ready: press “Open the preview” in previewbot’s comment.`;
  else if (seen && seen.says) text = `previewbot says of #${pull}: ${seen.says}`;
  else if (seen) text = `#${pull} was opened. previewbot’s comment will be there in a moment.`;
  if ($("preview-words").textContent !== text) $("preview-words").textContent = text;
}

/** Take the pull request from the page that is on the left, and make the links of its comments open on the right. */
function pullLoaded() {
  let place;
  try { place = pullFrame.contentWindow.location; } catch { return; }
  $("pull-out").href = place.pathname;
  const number = /\/pull\/(\d+)/.exec(place.pathname)?.[1];
  $("pull-where").textContent = place.pathname.slice(1);
  if (number && number !== pull) { pull = number; shown = ""; preview(); look(); }
  pullFrame.contentDocument.addEventListener("click", clicked);
  find();
}

/** Bring what the next step needs into sight, and under the keyboard. */
function find() {
  const there = wanted && pullFrame.contentDocument.querySelector(wanted);
  wanted = "";
  if (!there) return;
  there.scrollIntoView({ block: there.offsetHeight > pullFrame.clientHeight / 2 ? "start" : "center" });
  there.focus({ preventScroll: true });
}

function clicked(event) {
  const link = event.target.closest?.("a[href]");
  if (!link || event.defaultPrevented || event.ctrlKey || event.metaKey || event.shiftKey || link.origin === location.origin) return;
  if (link.hostname.endsWith(document.body.dataset.previews)) {
    event.preventDefault();
    const known = Object.keys(state.pulls).find((each) => state.pulls[each].link && new URL(state.pulls[each].link).host === link.host);
    pull = asked = known ?? pull;
    show("preview");
    goTo(link.pathname + link.search);
    look();
  } else if (link.host === new URL(staging).host) {
    event.preventDefault();
    show("staging");
    goTo(link.pathname + link.search);
  } else {
    link.target = "_blank";
  }
}

/** Follow whoever walked to another page of the shop on one side: the world tells, since a frame of another site does not. */
function follow() {
  const link = state.pulls[pull]?.link, hosts = [stagingHost, link && new URL(link).hostname];
  const [number, where] = hosts.map((host) => state.visits[host] ?? [0, ""]).sort((a, b) => b[0] - a[0])[0];
  const first = newest === 0;
  if (number <= newest) return;
  newest = number;
  if (first || where === path || where.startsWith("/cart/add")) return;
  const walked = state.visits[stagingHost]?.[0] === number ? "staging" : "preview";
  turnTo(where);
  if (walked === "preview") {
    const seen = state.pulls[pull];
    shown = served(new URL(seen.link).origin + path, seen);
    load(stagingFrame, staging + path);
  }
  preview();
}

function tick() {
  const done = new Set(state.done), items = [...document.querySelectorAll("[data-step]")];
  const next = items.find((item) => !done.has(item.dataset.step));
  const fresh = items.filter((item) => done.has(item.dataset.step) && !item.classList.contains("done"));
  for (const item of items) {
    const is = done.has(item.dataset.step);
    item.classList.toggle("done", is);
    item.classList.toggle("next", item === next);
    item.querySelector(".told").textContent = is ? "Done: " : "";
    if (item === next) item.setAttribute("aria-current", "step"); else item.removeAttribute("aria-current");
  }
  $("count").textContent = `${done.size} of ${items.length}`;
  $("finished").hidden = Boolean(next);
  if (!fresh.length) return;
  for (const item of items) item.classList.toggle("fresh", fresh.includes(item));
  $("said").textContent = `Done: ${fresh.map((item) => item.querySelector(".do").lastChild.textContent).join(" ")}`
    + (next ? ` Next: ${next.querySelector(".do").lastChild.textContent}` : "");
}

/** Return the state of the world; null if the demo was ended, or is busy: the next look tells. */
async function ask() {
  try {
    const answer = await fetch("/demo/state", { signal: AbortSignal.timeout(5000) });
    return answer.ok ? await answer.json() : null;
  } catch {
    return null;
  }
}

let looking = false;
async function look() {
  if (looking || document.hidden) return;
  looking = true;
  const told = await ask();
  looking = false;
  if (!told) return;
  state = told;
  if (!pull) pull = Object.keys(state.pulls).reverse().find((each) => state.pulls[each].serving.length) ?? "";
  if (answered !== null && answered !== state.staging.version) load(stagingFrame, staging + path);
  answered = state.staging.version;
  tick();
  follow();
  preview();
}

for (const tab of document.querySelectorAll("[data-tab]")) tab.addEventListener("click", () => show(tab.dataset.tab));
for (const button of document.querySelectorAll("[data-path]")) button.addEventListener("click", () => goTo(button.dataset.path));
for (const button of document.querySelectorAll(".go")) {
  button.addEventListener("click", () => {
    const { at, find } = button.closest("[data-at]").dataset;
    if (at === "shop") {
      show(previewFrame.hidden ? "staging" : "preview");
      (previewFrame.hidden ? stagingFrame : previewFrame).focus();
      return;
    }
    const number = Object.keys(state.pulls).reverse().find((each) => state.pulls[each].task === at && state.pulls[each].state === "open");
    wanted = find;
    pullFrame.contentWindow.location.assign(number ? document.body.dataset.pulls.replace(/s$/, `/${number}`) : document.body.dataset.pulls);
    show("pull");
    pullFrame.focus();
  });
}
$("all").addEventListener("click", () => {
  const open = document.querySelector("aside").classList.toggle("open");
  $("all").setAttribute("aria-expanded", String(open));
  $("all").textContent = open ? "Only the next" : "All steps";
});
document.addEventListener("keydown", (event) => {
  const real = document.querySelector(".real");
  if (event.key === "Escape" && real.open) { real.open = false; real.querySelector("summary").focus(); }
});
pullFrame.addEventListener("load", pullLoaded);
pullLoaded();
setInterval(look, 1000);
document.addEventListener("visibilitychange", look);
look();
