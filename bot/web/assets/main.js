// Puts the parts together: who is picked, the live stream, keyboard, sheets, theme, clock.

import { Refusal, Session, people as fetchPeople } from "./api.js";
import * as cards from "./cards.js";
import * as command from "./command.js";
import * as conversation from "./conversation.js";
import { $, day, hush, kept, setZone, time, toast } from "./dom.js";
import * as guide from "./guide.js";
import * as people from "./people.js";
import * as tenant from "./tenant.js";

const RETRY_S = 3;
const SILENT_MS = 40_000;  // the server says something every 15 s
const LEFT = "left";  // a stream that we ended ourselves
const PANEL_MS = 250;  // several changes at once read the panel once

let session = null;
let stream = null;
let after = 0;
let panelTimer = 0;
let picking = Promise.resolve();

/** Become another person: session, chat, verbs, stream. */
async function pick(id) {
  const person = people.find(id) ?? people.admin();
  stream?.abort(LEFT);
  session = await Session.open(person.id);
  const found = await session.messages();
  setZone(found.zone);
  after = found.seq;
  cards.use(session, { "guide.look": guide.look, "guide.play": guide.playStory }, conversation.expect);
  hush();
  people.mark(person);
  conversation.start(person, found);
  document.title = `${person.name} · Reclaim`;
  clock(found.now);
  found.messages.forEach(guide.notice);
  command.clear();
  command.offer(await session.suggestions());
  command.chips(guide.current()?.id ?? "done");
  readPanel(0);
  listen(session);
}

/** One change of person at a time, the last one wins. */
function follow() {
  const id = people.pickedInAddress();
  picking = picking.then(() => (session?.persona === id ? undefined : pick(id))).catch(broken);
  return picking;
}

async function listen(mine) {
  while (session === mine) {
    stream = new AbortController();
    const { signal } = stream;
    try {
      await readStream(mine, signal);
    } catch (error) {
      if (error instanceof Refusal) { restarted(); return; }
    }
    if (session !== mine || signal.reason === LEFT) return;
    await countDown(mine);
  }
}

async function readStream(mine, signal) {
  const control = stream;
  let watchdog = setTimeout(() => control.abort(), SILENT_MS);
  try {
    for await (const event of mine.events(after, tenant.last(), signal)) {
      clearTimeout(watchdog);
      watchdog = setTimeout(() => control.abort(), SILENT_MS);
      if (session !== mine) return;
      connected(true);
      receive(event);
    }
  } finally {
    clearTimeout(watchdog);
  }
}

function receive(event) {
  if (event.seq) after = Math.max(after, event.seq);
  switch (event.type) {
    case "message": case "updated": conversation.receive(event); guide.notice(event.message); break;
    case "told": conversation.receive(event); break;
    case "unread": people.show(event.personas); break;
    case "clock": clock(event.now); readPanel(); break;
    case "calls": tenant.calls(event.calls); readPanel(); break;
    case "tenant": readPanel(); break;
    default:
  }
}

/** Count down to the next try; what is typed and ticked stays. */
async function countDown(mine) {
  for (let left = RETRY_S; left > 0 && session === mine; left -= 1) {
    connected(false, `Not connected. Trying again in ${left} s.`);
    await new Promise((resolve) => { setTimeout(resolve, 1000); });
  }
}

function connected(yes, text = "") {
  document.body.classList.toggle("offline", !yes);
  $("lost").hidden = yes;
  if (!yes) $("lost").textContent = text;
}

function restarted() {
  connected(false, "This rehearsal has ended or was started anew. Open the address that the program printed.");
}

function broken(error) {
  if (error instanceof Refusal && error.status === 403) restarted();
  else { connected(false, "Not connected. Trying again in 3 s."); setTimeout(() => location.reload(), RETRY_S * 1000); }
}

function readPanel(delay = PANEL_MS) {
  clearTimeout(panelTimer);
  const mine = session;
  panelTimer = setTimeout(async () => {
    const panel = await mine.tenant().catch(() => null);
    if (!panel) return;
    tenant.show(panel);
    guide.follow(panel);
  }, delay);
}

async function send(text) {
  const [done, answered] = [conversation.waiting(), conversation.expect()];
  hush();
  try {
    const outcome = await session.command(text);
    if (outcome.toast) toast(outcome.toast, { error: outcome.error });
  } catch (error) {
    command.restore(text);
    toast(error.message, { error: true });
  } finally {
    done();
    answered();
  }
}

function clock(now) { $("now").textContent = `${day(now)}, ${time(now)}`; }

async function advance(step) {
  const section = document.querySelector(".clock");
  const buttons = [...section.querySelectorAll("button")];
  if (section.getAttribute("aria-busy") === "true" || document.body.classList.contains("offline")) return;
  section.setAttribute("aria-busy", "true");
  for (const button of buttons) button.setAttribute("aria-disabled", "true");
  try {
    clock((await session.advance(step)).now);
  } catch (error) {
    toast(error.message, { error: true });
  } finally {
    section.removeAttribute("aria-busy");
    for (const button of buttons) button.removeAttribute("aria-disabled");
  }
}

/* Sheets of narrow windows */

let opener = null;

function openSheet(id, from) {
  opener = from;
  $(id).classList.add("shown");
  $("shade").hidden = false;
  $("main").inert = true;
  from.setAttribute("aria-expanded", "true");
  $(id).querySelector("[aria-current], .sheet-close")?.focus();
}

function closeSheet() {
  if (!opener) return;
  for (const sheet of [$("people"), $("tenant")]) sheet.classList.remove("shown");
  $("shade").hidden = true;
  $("main").inert = false;
  opener.setAttribute("aria-expanded", "false");
  opener.focus();
  opener = null;
}

$("open-people").addEventListener("click", ({ currentTarget }) => openSheet("people", currentTarget));
for (const button of document.querySelectorAll(".open-tenant")) {
  button.addEventListener("click", ({ currentTarget }) => openSheet("tenant", currentTarget));
}
for (const button of document.querySelectorAll("[data-close]")) button.addEventListener("click", closeSheet);
$("shade").addEventListener("click", closeSheet);
$("people").addEventListener("picked", closeSheet);
matchMedia("(min-width: 1100px)").addEventListener("change", closeSheet);
matchMedia("(min-width: 760px)").addEventListener("change", closeSheet);

/* Theme */

const dark = matchMedia("(prefers-color-scheme: dark)");
const isDark = () => (document.documentElement.dataset.theme ?? (dark.matches ? "dark" : "light")) === "dark";
const markTheme = () => $("theme").setAttribute("aria-pressed", String(isDark()));
$("theme").addEventListener("click", () => {
  const chosen = isDark() ? "light" : "dark";
  document.documentElement.dataset.theme = chosen;
  kept.set("theme", chosen);
  markTheme();
});
dark.addEventListener("change", markTheme);
markTheme();

/* Keyboard */

document.addEventListener("keydown", (event) => {
  const typing = event.target.closest("input:not([type=checkbox], [type=radio]), textarea, select");
  if (event.altKey && (event.key === "ArrowUp" || event.key === "ArrowDown")) people.step(event.key === "ArrowDown" ? 1 : -1);
  else if (event.key === "/" && !typing && !$("confirm").open) command.focus();
  else if (event.key === "Escape") { leave(typing); return; }
  else return;
  event.preventDefault();
});

/** Esc leaves a sheet, else a form. */
function leave(typing) {
  if (opener) closeSheet();
  else typing?.closest(".card")?.querySelector("button.back, .acts > button:not([data-submits])")?.focus();
}

for (const button of document.querySelectorAll("[data-advance]")) {
  button.addEventListener("click", () => advance(button.dataset.advance));
}
addEventListener("hashchange", follow);

async function boot() {
  const { personas, tenant: about, run } = await fetchPeople();
  $("tenant-line").textContent = about;
  people.show(personas);
  command.start(send, () => conversation.messages().filter(({ from }) => from === "you").map(({ text }) => text));
  guide.start({
    run,
    changed: (step) => command.chips(step),
    pick: async (id) => { if (session?.persona !== id) { people.goTo(id); await follow(); } },
  });
  if (!people.find(people.pickedInAddress())) history.replaceState(null, "", people.address(people.admin().id));
  await follow();
}

boot().catch(broken);
