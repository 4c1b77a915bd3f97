// The tenant panel: numbers that roll, bars by SKU, the campaign, the live log of Graph calls.

import { $, el, still } from "./dom.js";

const KEPT_CALLS = 200;
const ROLL_MS = 400;
const COLOURS = [["revoke", "revoke"], ["keep", "keep"], ["not_sure", "not sure"], ["open", "open"]];

let paused = false;
let held = [];
let lastCall = 0;

export const last = () => lastCall;

/** Let the number in a text run to its new value: "$3,244" to "$3,096". */
function roll(node, text) {
  const from = Number((/[\d,]+/.exec(node.textContent)?.[0] ?? "").replaceAll(",", ""));
  const target = /[\d,]+/.exec(text)?.[0];
  const to = Number((target ?? "").replaceAll(",", ""));
  const turn = node.turn = (node.turn ?? 0) + 1;
  if (still.matches || !from || !target || from === to || (text.match(/\d[\d,]*/g) ?? []).length > 1) {
    node.textContent = text;
    return;
  }
  const begin = performance.now();
  const frame = (now) => {
    if (node.turn !== turn) return;
    const share = Math.min(1, (now - begin) / ROLL_MS);
    const eased = 1 - (1 - share) ** 3;
    node.textContent = share === 1 ? text : text.replace(target, Math.round(from + (to - from) * eased).toLocaleString("en-US"));
    if (share < 1) requestAnimationFrame(frame);
  };
  requestAnimationFrame(frame);
}

const plural = (count, word) => `${count} ${word}${count === 1 ? "" : "s"}`;

function sku({ name, share, amount, unpriced }) {
  const priced = share !== null;
  const text = priced ? `${amount}${unpriced ? ` + ${unpriced} unpriced` : ""}` : `${plural(unpriced, "seat")}, no price`;
  const row = el("li", { class: priced ? "" : "none" }, el("div", {}, el("span", {}, name), el("b", {}, text)));
  const bar = priced ? el("i", { class: `w-${Math.round(share * 100)}` }) : null;
  row.append(el("span", { class: "track", "aria-hidden": "true" }, bar));
  row.dataset.name = name;
  return row;
}

/** Redraw the bars in place, so that a width glides to its new value. */
function skus(found) {
  const old = new Map([...$("skus").children].map((row) => [row.dataset.name, row.querySelector("i")?.className]));
  $("skus").replaceChildren(...found.map(sku));
  for (const row of $("skus").children) {
    const bar = row.querySelector("i");
    const before = old.get(row.dataset.name);
    if (!bar || before === undefined || before === bar.className) continue;
    const now = bar.className;
    bar.className = before;
    requestAnimationFrame(() => requestAnimationFrame(() => { bar.className = now; }));
  }
}

function campaign(found) {
  if (!found) {
    $("campaign").replaceChildren(el("h3", {}, "Campaign"), el("p", {}, "None yet. Start one and watch the answers come in here."));
    return;
  }
  const counts = COLOURS.map(([name, word]) => ({ name, word, count: found[name] }));
  const all = counts.reduce((sum, { count }) => sum + count, 0) || 1;
  const words = counts.map(({ count, word }) => `${count} ${word}`).join(", ");
  $("campaign").replaceChildren(
    el("div", { class: "head" }, el("h3", {}, found.name), el("span", {}, found.state)),
    el("div", { class: "bar4", role: "img", "aria-label": words },
      ...counts.filter(({ count }) => count).map(({ name, count }) => el("i", { class: `${name} w-${Math.round((count / all) * 100)}` }))),
    el("ul", { class: "key", "aria-hidden": "true" }, ...counts.map(({ name, word, count }) => el("li", { class: name }, `${count} ${word}`))),
  );
}

/** Show the numbers. */
export function show(panel) {
  $("read").textContent = panel.read;
  roll($("idle"), panel.idle.toLocaleString("en-US"));
  $("idle-of").textContent = `idle of ${panel.held.toLocaleString("en-US")} seats`;
  roll($("recoverable"), panel.recoverable);
  skus(panel.skus);
  campaign(panel.campaign);
}

function callLines({ method, path, full, status, note }) {
  const lines = [];
  if (method) {
    const state = status >= 500 || (status >= 400 && status !== 429) ? "s bad" : status >= 300 ? "s slow" : "s";
    lines.push(el(
      "li", { tabIndex: -1 }, el("span", { class: "m" }, method), shortened(path, full || path),
      el("span", { class: state }, status === null ? "" : String(status)),
    ));
  }
  if (note) lines.push(el("li", { tabIndex: -1 }, el("span", { class: "w" }, note)));
  return lines;
}

/** Short until it is focused; the whole address on hover. */
function shortened(path, full) {
  return el("span", { class: "u", title: full }, path);
}

/** New calls, oldest first. */
export function calls(found) {
  lastCall = Math.max(lastCall, ...found.map(({ seq }) => seq));
  held.push(...found);
  held = held.slice(-KEPT_CALLS);
  if (!paused) write();
}

function write() {
  const log = $("calls");
  const end = log.scrollHeight - log.scrollTop - log.clientHeight < 40;
  log.append(...held.flatMap(callLines));
  held = [];
  while (log.children.length > KEPT_CALLS) log.firstChild.remove();
  if (end) log.scrollTop = log.scrollHeight;
}

$("pause").addEventListener("click", () => {
  paused = !paused;
  $("pause").textContent = paused ? "Go on" : "Pause";
  $("pause").setAttribute("aria-pressed", String(paused));
  $("live-calls").textContent = paused ? "paused" : "live";
  if (!paused) write();
});

$("calls").addEventListener("keydown", ({ key, target }) => {
  const by = { ArrowDown: 1, ArrowUp: -1 }[key];
  if (!by) return;
  const lines = [...$("calls").children];
  const at = lines.indexOf(target.closest("li"));
  (at < 0 ? lines.at(-1) : lines[at + by])?.focus();
});
$("calls").addEventListener("focusin", ({ target }) => {
  const address = target.querySelector?.(".u");
  if (!address || target.id === "calls") return;
  const short = address.textContent;
  address.textContent = address.title;
  target.addEventListener("blur", () => { address.textContent = short; }, { once: true });
});
