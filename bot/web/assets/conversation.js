// The conversation: bubbles, cards that change in place, day lines, "1 new". What a card does is in cards.js.

import * as cards from "./cards.js";
import { $, day, el, still, time } from "./dom.js";

const log = $("log");
const box = $("messages");
let items = [];  // { at, seq, node, message? } in order of arrival
let missed = 0;
let person = null;
let expected = 0;  // answers to what the person did here just now: they are scrolled to wherever the person is

const atEnd = () => log.scrollHeight - log.scrollTop - log.clientHeight < 80;

export function toEnd(smooth = false) {
  log.scrollTo({ top: log.scrollHeight, behavior: smooth && !still.matches ? "smooth" : "auto" });
}

/** Show a new card, from its head on where it is taller than the window. */
function reveal(node, smooth = true) {
  const tall = node.offsetHeight > log.clientHeight - 24;
  log.scrollTo({
    top: tall ? node.offsetTop - 12 : log.scrollHeight, behavior: smooth && !still.matches ? "smooth" : "auto",
  });
}

export const message = (id) => items.find((item) => item.message?.id === id)?.message;
export const messages = () => items.filter((item) => item.message).map((item) => item.message);

function files(found) {
  if (!found.length) return null;
  return el("div", { class: "files" }, ...found.map(({ name, href }) => {
    const link = el("a", { href, download: name }, el("i", { class: "i-file", "aria-hidden": "true" }), name);
    return link;
  }));
}

function draw(found, fresh) {
  if (found.from === "you") return el("p", { class: "you" }, el("span", { class: "sr" }, "You: "), found.text);
  const node = el(
    "div", { class: `bot${fresh ? " fresh" : ""}` }, el("span", { class: "av", "aria-hidden": "true" }, "R"),
    el("p", { class: "from" }, el("b", {}, "Reclaim"), ` ${time(found.at)}`),
  );
  node.dataset.message = found.id;
  // The server escapes every string of the tenant; this page's policy lets no script or style in a card run.
  node.insertAdjacentHTML("beforeend", found.html);
  const attached = files(found.files);
  if (attached) node.append(attached);
  cards.enliven(node, found);
  return node;
}

function arrange() {
  let last = null;
  const nodes = [];
  for (const item of items) {
    const its = day(item.at);
    if (its !== last) nodes.push(el("p", { class: "day" }, its));
    last = its;
    nodes.push(item.node);
  }
  const busy = box.querySelector(".busy");
  if (!items.length && person) nodes.push(el("p", { class: "empty" }, `Nothing for ${person.name.split(" ")[0]} right now. Cards arrive here.`));
  for (const gone of box.querySelectorAll(":scope > .day, :scope > .empty")) gone.remove();
  nodes.forEach((node, index) => { if (box.children[index] !== node) box.insertBefore(node, box.children[index] ?? null); });
  if (busy) box.append(busy);
  box.classList.toggle("first", items.length === 1 && items[0].node.querySelector(".hero") !== null);
  markLive();
}

/** The newest card that asks keeps its buttons at the lower edge of a phone. */
function markLive() {
  const asking = [...box.querySelectorAll(".bot")].filter((node) => node.querySelector(":scope > .card > .acts"));
  for (const node of asking) node.classList.toggle("live", node === asking.at(-1));
}

/** Begin with what the server has of this persona. */
export function start(who, { messages: found, told }) {
  person = who;
  missed = 0;
  $("new").hidden = true;
  items = [
    ...found.map((each) => ({ at: each.at, seq: each.seq, message: each, node: draw(each, false) })),
    ...told.map((each) => ({ at: each.at, seq: each.seq, node: line(each.text) })),
  ].sort((a, b) => Date.parse(a.at) - Date.parse(b.at) || a.seq - b.seq);
  box.replaceChildren();
  arrange();
  toEnd();
  const newest = items.findLast((item) => item.message);
  if (newest) reveal(newest.node, false);
}

const line = (text) => el("p", { class: "told" }, text);

function add(item, announcement) {
  const end = atEnd();
  items.push(item);
  arrange();
  $("live").textContent = announcement;
  if (end || expected || item.message?.from === "you") {
    reveal(item.node);
  } else {
    missed += 1;
    $("new").textContent = `${missed} new`;
    $("new").hidden = false;
  }
}

/** A line of the stream arrived. */
export function receive(event) {
  if (event.type === "told") return add({ at: event.at, seq: event.seq, node: line(event.text) }, event.text);
  const found = event.message;
  const item = items.find((each) => each.message?.id === found.id);
  if (!item) {
    document.title = `${found.fallback} · Reclaim`;
    return add({ at: found.at, seq: found.seq, message: found, node: draw(found, true) }, found.fallback);
  }
  return change(item, found);
}

function change(item, found) {
  const end = atEnd();
  const node = draw(found, false);
  cards.carryOver(item.node, node, item.message, found);
  const focus = item.node.contains(document.activeElement);
  item.node.replaceWith(node);
  Object.assign(item, { node, message: found, seq: found.seq });
  markLive();
  const card = node.querySelector(".card");
  card?.classList.add("tint");
  setTimeout(() => card?.classList.remove("tint"), 600);
  if (cards.wasClicked(found.id) || focus) cards.focusResult(node);
  else $("live").textContent = found.fallback;
  if (end && !focus) toEnd(true);
}

/** The person asked for something; the stream may bring the answer a little after the request is done. */
export function expect() {
  expected += 1;
  return () => setTimeout(() => { expected -= 1; }, 1500);
}

/** Three dots while an answer is on its way for over half a second. */
export function waiting() {
  const dots = el("p", { class: "busy", role: "status" }, el("i"), el("i"), el("i"), "Reclaim is at work");
  const timer = setTimeout(() => { box.append(dots); if (atEnd()) toEnd(); }, 500);
  return () => { clearTimeout(timer); dots.remove(); };
}

log.addEventListener("scroll", () => {
  if (!atEnd()) return;
  missed = 0;
  $("new").hidden = true;
}, { passive: true });
$("new").addEventListener("click", () => toEnd(true));
