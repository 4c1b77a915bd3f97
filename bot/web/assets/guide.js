// The guide: which step the person is at, and doing a step for them through the same requests that a person makes.

import { Session } from "./api.js";
import { $, el, narrow, kept, still, toast } from "./dom.js";
import * as people from "./people.js";

const answered = ({ revoke, keep, not_sure: notSure }) => revoke + keep + notSure;
const past = ({ phase }) => ["closing", "applying", "paused", "closed"].includes(phase);

// A step says what to do, `then` something else once it is `begun`, and is over when `done`. Its plan is a list of moves:
//   as         who acts: "admin" (first of "Run the campaign") or "reviewers" (everyone with an open `card`)
//   command    typed behind /reclaim
//   click      verbs to look for on the newest card that offers one of them; `fill` overrides what its form holds
//   maybe      no such button, or a refusal, does not end the story
//   turns      for reviewers: which `TURNS` the first ones take, everyone after them `rest`
//   clock      moves the practice clock
//   until      waits until someone was asked
const STEPS = [
  {
    id: "look", title: "Look", say: "Type /reclaim spend to see where the money is.",
    done: ({ seen, campaign }) => seen.has("spend") || campaign !== null,
    plan: [{ as: "admin", command: "spend" }],
  },
  {
    id: "simulate", title: "Simulate", say: "Type /reclaim simulate to see what a campaign would do. Nothing is sent.",
    done: ({ seen, campaign }) => seen.has("simulated") || campaign !== null,
    plan: [{ as: "admin", command: "simulate" }],
  },
  {
    id: "start", title: "Start", say: "Type /reclaim start, check the preview and start. Nothing is sent before that.",
    done: ({ campaign }) => campaign !== null && !["draft", "opening", "cancelled"].includes(campaign.phase),
    plan: [
      { as: "admin", command: "start" },
      { as: "admin", click: ["start.preview"], fill: { name: "Q4 seat clean-up" } },
      { as: "admin", click: ["start.launch"] },
      { until: "asked" },
    ],
  },
  {
    id: "decide", title: "Decide", say: "Pick someone under “Review seats” and answer their card.",
    begun: ({ campaign }) => campaign !== null && answered(campaign) > 0,
    then: "Answer for another person, let us answer for the rest, or press “To closing” below the list of people.",
    done: ({ seen, campaign }) => campaign !== null && (seen.has("decided") || campaign.open === 0 || past(campaign)),
    plan: [{ as: "reviewers", card: "review.wave", turns: ["delegate", "revoke", "keep"], rest: "revoke", sign: "decided" }],
  },
  {
    id: "close", title: "Close", say: "Type /reclaim close, or move the practice clock to the closing.",
    done: ({ campaign }) => campaign !== null && ["applying", "closed"].includes(campaign.phase),
    plan: [
      { as: "admin", command: "close" },
      { as: "admin", click: ["close.early.submit"], maybe: true },
      { as: "admin", clock: "closing" },
    ],
  },
  {
    id: "prove", title: "Prove", say: "A day later, read the tenant again and export the evidence.",
    done: ({ seen }) => seen.has("exported"),
    plan: [
      { as: "admin", command: "status" },
      { as: "admin", clock: "day" },
      { as: "admin", command: "sync" },
      { as: "admin", command: "export", sign: "exported" },
    ],
  },
];

// What one reviewer does with their list: buttons in order, each with what its form should hold.
const TURNS = {
  revoke: { told: "revokes what looks unused", clicks: [{ verb: "wave.revoke" }] },
  keep: {
    told: "keeps the ticked seats, with a reason",
    clicks: [{ verb: "wave.keep" }, { verb: "wave.keep.submit", fill: { reason: "current_work" } }],
  },
  delegate: {
    told: "passes the ticked seats on to a colleague",
    clicks: [
      { verb: "wave.delegate" },
      { verb: "wave.delegate.submit", fill: { reason: "Works with them every day." } },
    ],
  },
};

const SIGNS = [
  ["spend", ({ kind }) => kind.startsWith("spend")],
  ["simulated", ({ kind }) => kind === "campaign.simulation"],
  ["exported", ({ files, kind }) => files.length > 0 || kind.startsWith("export")],
];
const PAUSE_MS = 1100;  // between two moves, so that the story can be followed
const SHOWN = 3;  // reviewers whose chat is shown while they answer; the others answer unseen
const WAIT_MS = 30_000;

const sessions = new Map();
let run = "";
let seen = new Set();
let campaign = null;
let playing = null;
let shown = false;  // not before the first numbers: the step would jump
let onStep = () => {};
let show = async () => {};

export const current = () => STEPS.find((step) => !step.done({ seen, campaign })) ?? null;

/** `changed(stepId)` is called when the step changes; `pick(persona)` shows that persona and resolves when it is drawn. */
export function start({ run: thisRun, changed, pick }) {
  run = thisRun;
  onStep = changed;
  show = pick;
  try { seen = new Set(JSON.parse(sessionStorage.getItem(`reclaim.seen.${run}`) ?? "[]")); } catch { seen = new Set(); }
}

function sign(name) {
  if (seen.has(name)) return;
  seen.add(name);
  try { sessionStorage.setItem(`reclaim.seen.${run}`, JSON.stringify([...seen])); } catch { /* Kept for this page only. */ }
  draw();
}

/** The person, or we, got a message: it may be the sign that a step is done. */
export function notice(message) {
  if (message.from === "bot") for (const [name, is] of SIGNS) if (is(message)) sign(name);
}

/** The numbers of the tenant changed. */
export function follow(panel) {
  campaign = panel.campaign;
  if (!shown) $("guide").hidden = kept.get("guide") === "hidden";
  shown = true;
  draw();
}

function draw() {
  const step = current();
  const at = step ? STEPS.indexOf(step) : STEPS.length;
  $("guide-steps").replaceChildren(...STEPS.map(({ title }, index) => {
    const item = el("li", { class: index < at ? "done" : "" }, el("i", { "aria-hidden": "true" }, String(index + 1)), title);
    if (index < at) item.append(el("span", { class: "sr" }, " done"));
    if (index === at) item.setAttribute("aria-current", "step");
    return item;
  }));
  $("guide-ticks").replaceChildren(...STEPS.map((_, index) => el("i", { class: index <= at ? "on" : "" })));
  $("guide-count").textContent = step ? `Step ${at + 1} of ${STEPS.length}` : "All done";
  $("guide-name").textContent = step?.title ?? "";
  $("guide-do").hidden = step === null && !playing;
  $("guide-do").textContent = playing ? "Stop" : narrow.matches ? "Do it for me" : "Do this step for me";
  const words = step?.begun?.({ seen, campaign }) ? step.then : step?.say;
  if (!playing) say(words ?? "That was the whole job: found, asked, taken back and proved.");
  onStep(step?.id ?? "done");
}

function say(text) {
  if ($("guide-say").textContent !== text) $("guide-say").textContent = text;
}

class Stopped extends Error {}

const pause = (ms) => new Promise((resolve) => { setTimeout(resolve, ms); });

async function beat() {
  await pause(still.matches ? PAUSE_MS / 2 : PAUSE_MS);
  if (playing.stop) throw new Stopped();
}

async function sessionOf(persona) {
  if (!sessions.has(persona)) sessions.set(persona, await Session.open(persona));
  return sessions.get(persona);
}

/** Every action of a card, wherever it stands. */
function* actions(part) {
  if (part === null || typeof part !== "object") return;
  if (typeof part.verb === "string" && "ref" in part) yield part;
  for (const child of Object.values(part)) yield* actions(child);
}

/** Every part of a card that is an input, and every row that has a box. */
function* fields(part) {
  if (part === null || typeof part !== "object") return;
  if (typeof part.kind === "string" && typeof part.id === "string" && Array.isArray(part.options)) yield part;
  if (typeof part.tick === "string") yield part;
  for (const child of Object.values(part)) yield* fields(child);
}

/** Fill a form as a person in a hurry would: what is there stays, what is required gets the first that fits. */
async function filled(session, card, fill) {
  const inputs = {};
  for (const field of fields(card)) {
    if (field.tick) inputs[field.tick] = String(field.ticked);
    else inputs[field.id] = fill[field.id] || field.value || (field.required ? await firstThatFits(session, field) : "");
  }
  return inputs;
}

async function firstThatFits(session, { kind, options, min_date: earliest, max_date: latest }) {
  if (kind === "choice" || kind === "select") return options[0]?.value ?? "";
  if (kind === "date") return latest ?? earliest ?? "";
  if (kind === "toggle") return "true";
  if (kind === "number") return "1";
  if (kind === "person") return colleague(session);
  return "Rehearsal";
}

/** Another reviewer of the cast, by name, as a person would look one up. */
async function colleague(session) {
  const others = people.all().filter(({ id, group }) => group === "review" && id !== session.persona).reverse();
  for (const { name } of others) {
    const [found] = await session.people(name);
    if (found) return found.id;
  }
  return "";
}

/** Click the first of these verbs that the newest card offers; false if none does. */
async function click(session, verbs, fill = {}) {
  const { messages } = await session.messages();
  for (const message of messages.filter(({ card }) => card).reverse()) {
    const action = [...actions(message.card)].find(({ verb, link }) => verbs.includes(verb) && !link);
    if (!action) continue;
    const inputs = action.submits ? await filled(session, message.card, fill) : {};
    const outcome = await session.action(message.id, action, inputs);
    if (outcome.error) throw new Error(outcome.toast ?? "The guide was refused.");
    return true;
  }
  return false;
}

async function asAdmin(move) {
  const admin = people.admin();
  const session = await sessionOf(admin.id);
  await show(admin.id);
  await beat();
  if (move.command) {
    const outcome = await session.command(move.command);
    if (outcome.error) throw new Error(outcome.toast ?? "The guide was refused.");
  }
  if (move.click) await clickAsAdmin(session, move);
  if (move.clock) await session.advance(move.clock);
}

async function clickAsAdmin(session, { click: verbs, fill, maybe }) {
  try {
    if (!(await click(session, verbs, fill)) && !maybe) throw new Error(`No card offers ${verbs.join(" or ")}.`);
  } catch (error) {
    if (!maybe) throw error;
    toast(error.message, { error: true });
  }
}

async function asReviewers({ card, turns, rest }) {
  let order = 0;
  for (const person of people.all().filter(({ group, unread }) => group === "review" || unread > 0)) {
    const session = await sessionOf(person.id);
    const { messages } = await session.messages();
    const open = messages.some((each) => each.kind === card && [...actions(each.card)].some(({ verb }) => verb === "wave.revoke"));
    if (!open) continue;
    const turn = TURNS[turns[order] ?? rest];
    say(`${person.name} ${turn.told}.`);
    if (order < SHOWN) { await show(person.id); await beat(); }
    await takeTurn(session, turn, order < SHOWN);
    order += 1;
  }
}

/** One reviewer's refusal must not end the story for the others. */
async function takeTurn(session, { clicks }, shownNow) {
  try {
    for (const { verb, fill } of clicks) {
      if (!(await click(session, [verb], fill))) break;
      if (shownNow) await beat();
    }
  } catch (error) {
    if (error instanceof Stopped) throw error;
    toast(error.message, { error: true });
  }
  if (playing.stop) throw new Stopped();
}

/** Wait until somebody has been asked and the messages have stopped going out. */
async function untilAsked() {
  const admin = people.admin().id;
  let before = 0;
  for (let waited = 0; waited < WAIT_MS; waited += PAUSE_MS) {
    const asked = people.all().filter(({ id, unread }) => id !== admin && unread > 0).length;
    if (asked > 0 && asked === before) return;
    before = asked;
    await beat();
  }
}

async function play(step) {
  say(`${step.title}: we do this for you.`);
  for (const move of step.plan) {
    if (move.as === "admin") await asAdmin(move);
    else if (move.as === "reviewers") await asReviewers(move);
    else if (move.until === "asked") await untilAsked();
    if (move.sign) sign(move.sign);
  }
}

/** Do these steps one after the other; a second call while playing stops it. */
async function perform(steps) {
  if (playing) { playing.stop = true; return; }
  if (document.body.classList.contains("offline")) return;
  playing = { stop: false };
  draw();
  try {
    for (const step of steps) { await play(step); await beat(); }
  } catch (error) {
    if (!(error instanceof Stopped)) toast(error.message, { error: true });
  } finally {
    playing = null;
    draw();
  }
}

/** "Do this step for me". */
export const doStep = () => perform([current()].filter(Boolean));

/** "Show where the money is". */
export const look = () => perform([STEPS[0]]);

/** "Play the whole story for me", from where the person is. */
export function playStory() {
  $("guide").hidden = false;
  const step = current();
  return perform(step ? STEPS.slice(STEPS.indexOf(step)) : []);
}

$("guide-do").addEventListener("click", doStep);
$("guide-hide").addEventListener("click", () => {
  kept.set("guide", "hidden");
  $("guide").hidden = true;
  $("box").focus();
});
narrow.addEventListener("change", draw);
