// The page of the sandbox. What strangers sent is only ever set as text; nothing is put together as markup.
"use strict";

const PAGE = 60, TYPES = 24, REFRESH_MS = 1500, MONTHS = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];
const $ = (id) => document.getElementById(id);
const number = new Intl.NumberFormat("en-GB");
const inZone = (options) => new Intl.DateTimeFormat("en-GB", { timeZone: "UTC", ...options });
const dayLong = inZone({ day: "numeric", month: "long", year: "numeric" }), monthLong = inZone({ month: "long", year: "numeric" });
const weekday = inZone({ weekday: "short" }), clock = inZone({ hour: "2-digit", minute: "2-digit" });
const local = new Intl.DateTimeFormat("en-GB", { hour: "2-digit", minute: "2-digit", second: "2-digit" });
const localLong = new Intl.DateTimeFormat("en-GB", { dateStyle: "medium", timeStyle: "medium" });

const state = { view: "timeline", account: "", q: "", type: new Set(), from: "", to: "", open: null, order: "recent", puts: "all" };
const shown = { lines: [], total: 0, accounts: [], accountsTotal: 0, puts: -1, newest: 0, stats: null, ids: new Set() };

/** Makes an element: `h("b.name", {title: "…"}, "text", child)`. */
function h(what, attributes = {}, ...children) {
  const [tag, ...classes] = what.split(".");
  const element = tag === "svg" || tag === "path" || tag === "circle" ? document.createElementNS("http://www.w3.org/2000/svg", tag) : document.createElement(tag);
  if (classes.length) element.setAttribute("class", classes.join(" "));
  for (const [name, value] of Object.entries(attributes)) {
    if (typeof value === "function") element.addEventListener(name, value);
    else if (value !== null && value !== undefined && value !== false) element.setAttribute(name, value);
  }
  element.append(...children.filter((child) => child !== null && child !== undefined && child !== false));
  return element;
}

async function ask(path, words = {}) {
  const asked = new URLSearchParams(Object.entries(words).filter(([, value]) => value !== "" && value !== null));
  const answer = await fetch(`api/${path}?${asked}`);
  if (!answer.ok) throw new Error(`${path}: ${answer.status}`);
  return answer.json();
}

const hue = (id) => `t${((id - 1) % 8) + 1}`;
const initials = (name) => name.split(/[\s.&/-]+/).filter((word) => /^[\p{L}\p{N}]/u.test(word)).slice(0, 2).map((word) => [...word][0]).join("").toUpperCase() || "?";
const plural = (count, one, many) => `${number.format(count)} ${count === 1 ? one : many}`;
const query = () => ({ account: state.account, q: state.q, type: [...state.type].join("\n"), from: state.from, to: state.to });
const filtered = () => Boolean(state.q || state.type.size || state.from || state.to);

/* ---- the address bar holds the state, so that a view can be passed on ---- */

function remember(step = false) {
  const words = new URLSearchParams();
  for (const [name, value] of Object.entries({ ...query(), open: state.open ?? "", view: state.view === "timeline" ? "" : state.view, puts: state.puts === "all" ? "" : state.puts }))
    if (value) words.set(name, value);
  const address = words.size ? `?${words}` : location.pathname;
  history[step ? "pushState" : "replaceState"](null, "", address);
}

function recall() {
  const words = new URLSearchParams(location.search), word = (name) => words.get(name) ?? "";
  Object.assign(state, { account: word("account"), q: word("q"), from: word("from"), to: word("to"), view: word("view") || "timeline", puts: word("puts") || "all" });
  state.type = new Set(word("type").split("\n").filter(Boolean));
  state.open = Number(word("open")) || null;
  $("text").value = state.q;
}

function change(words, step = false) {
  Object.assign(state, words);
  remember(step);
  return refresh();
}

/* ---- accounts ---- */

async function loadAccounts(more = false) {
  const offset = more ? shown.accounts.length : 0, limit = more ? 100 : Math.min(500, Math.max(100, shown.accounts.length));
  const found = await ask("accounts", { q: $("find-account").value.trim(), order: state.order, offset, limit });
  shown.accounts = more ? [...shown.accounts, ...found.accounts] : found.accounts;
  shown.accountsTotal = found.total;
  drawAccounts();
}

function drawAccounts() {
  const focused = document.activeElement?.dataset?.account;
  const everyone = { name: "", activities: shown.stats?.activities ?? 0 };
  const rows = ($("find-account").value ? shown.accounts : [everyone, ...shown.accounts]).map(account);
  if (!shown.accounts.length) rows.push(h("li.none", {}, $("find-account").value ? "No account has that in its name." : "No account yet."));
  $("accounts").replaceChildren(...rows);
  if (focused !== undefined) $("accounts").querySelector(`[data-account="${CSS.escape(focused)}"]`)?.focus();
  for (const button of document.querySelectorAll("[data-order]")) button.setAttribute("aria-pressed", button.dataset.order === state.order);
}

function account(each) {
  const pick = () => { picking(false); change({ account: each.name, view: "timeline" }, true).then(() => { $("main").scrollTop = 0; }); };
  const words = each.name ? `last on ${dayLong.format(new Date(each.latest))}` : plural(shown.stats?.accounts ?? 0, "account", "accounts");
  return h("li", {}, h("button.account", { click: pick, "data-account": each.name, "aria-current": each.name === state.account, title: each.name || null },
    h(`span.badge${each.name ? "." + hue(each.id) : ""}`, { "aria-hidden": "true" }, each.name ? initials(each.name) : "∑"),
    h("b", {}, each.name || "All accounts"), h("em", {}, number.format(each.activities)), h("small", {}, words)));
}

function picking(on) {
  $("layout").classList.toggle("picking", on);
  $("pick").setAttribute("aria-expanded", on);
  if (on) $("find-account").focus();
}

/* ---- the timeline ---- */

async function loadTimeline(more = false) {
  const offset = more ? shown.lines.length : 0, limit = more ? PAGE : Math.min(500, Math.max(PAGE, shown.lines.length));
  const asked = JSON.stringify(query());
  const found = await ask("timeline", { ...query(), offset, limit });
  if (asked !== JSON.stringify(query())) return; // the filter moved on while this was under way
  shown.lines = more ? [...shown.lines, ...found.lines] : found.lines;
  shown.total = found.total;
  if (!more) drawHead(found);
  drawLines(more || shown.asked !== asked);
  shown.asked = asked;
}

function drawHead(found) {
  $("who").textContent = state.account || "All accounts";
  document.title = `${state.account || "Sandbox"} · cgsync`;
  const range = found.total ? ` · ${[found.oldest, found.newest].map((at) => dayLong.format(new Date(at))).filter((text, i, all) => i === 0 || text !== all[0]).join(" – ")}` : "";
  $("span").textContent = plural(found.total, "activity", "activities") + range;
  $("clear").hidden = !filtered();
  for (const id of ["from", "to"]) { $(id).value = state[id]; $(id).classList.toggle("blank", !state[id]); }
  const nothing = !found.total && !shown.stats?.activities; // the counters may be older than the lines
  for (const id of ["filters", "chart", "types"]) $(id).hidden = nothing;
  $("types").className = state.type.size ? "chips some" : "chips";
  $("types").replaceChildren(...[...found.types].sort((a, b) => b.count - a.count).slice(0, TYPES).sort((a, b) => a.name.localeCompare(b.name)).map(chip));
  drawChart(found);
}

function chip(type) {
  const toggle = () => { const type_ = new Set(state.type); type_.delete(type.name) || type_.add(type.name); change({ type: type_ }); };
  return h(`button.chip.${hue(type.id)}`, { click: toggle, "aria-pressed": state.type.has(type.name), "data-type": type.name }, h("i"), type.name, h("em", {}, number.format(type.count)));
}

function buckets(kind, spans) {
  const all = Object.keys(spans).sort(), filled = [];
  if (!all.length) return filled;
  const length = { day: 10, month: 7, year: 4 }[kind], last = all[all.length - 1];
  for (const at = new Date(`${all[0]}-01-01`.slice(0, 10).padEnd(10, "-01")); filled.length < 400; ) {
    const name = at.toISOString().slice(0, length);
    if (name > last) break;
    filled.push(name);
    if (kind === "day") at.setUTCDate(at.getUTCDate() + 1); else if (kind === "month") at.setUTCMonth(at.getUTCMonth() + 1); else at.setUTCFullYear(at.getUTCFullYear() + 1);
  }
  return filled;
}

function bounds(kind, name) {
  if (kind === "day") return [name, name];
  if (kind === "year") return [`${name}-01-01`, `${name}-12-31`];
  const [year, month] = name.split("-").map(Number);
  return [`${name}-01`, `${name}-${String(new Date(Date.UTC(year, month, 0)).getUTCDate()).padStart(2, "0")}`];
}

function drawChart({ bucket, spans }) {
  const names = buckets(bucket, spans), sums = names.map((name) => Object.values(spans[name] ?? {}).reduce((a, b) => a + b, 0));
  const most = Math.max(1, ...sums), some = Boolean(state.from || state.to), every = Math.ceil(names.length / 18);
  const focused = document.activeElement?.dataset?.span;
  $("chart").className = `chart${some ? " some" : ""}${names.length > 24 ? " many" : ""}`;
  $("chart").replaceChildren(...names.map((name, i) => bar(name, bucket, spans[name] ?? {}, sums[i], most, i, every)));
  if (focused) $("chart").querySelector(`[data-span="${focused}"]`)?.focus();
}

function bar(name, kind, types, sum, most, index, every) {
  const [from, to] = bounds(kind, name), inside = (!state.from || state.from <= to) && (!state.to || state.to >= from);
  const chosen = inside && Boolean(state.from || state.to), alone = state.from === from && state.to === to;
  const words = { day: () => dayLong.format(new Date(name)), month: () => monthLong.format(new Date(name)), year: () => name }[kind]();
  const pile = h("span.pile", {}, ...Object.entries(types).sort(([a], [b]) => b - a).map(([id, count]) => { const part = h(`i.${hue(Number(id))}`); part.style.flexGrow = count; return part; }));
  pile.style.height = `${(100 * sum) / most}%`;
  return h(`button.bar${index % 3 ? ".sparse" : ""}`, { click: () => change(alone ? { from: "", to: "" } : { from, to }), "aria-pressed": chosen, "aria-label": `${words}: ${sum}`, title: `${words}: ${plural(sum, "activity", "activities")}`, "data-span": name },
    h("span.stack", {}, sum ? pile : null), h("small", {}, ...(index % every ? [] : label(name, kind, index === 0))));
}

function label(name, kind, first) {
  const [year, month, day] = name.split("-");
  if (kind === "year") return [year];
  if (kind === "day") return first || day === "01" ? [h("b", {}, `${Number(day)} ${MONTHS[month - 1]}`)] : [String(Number(day))];
  return first || month === "01" ? [h("b", {}, `${MONTHS[month - 1]} ${year}`.replace(/ 20/, " ’"))] : [MONTHS[month - 1]];
}

function drawLines(quietly) {
  const focused = document.activeElement?.dataset?.id, groups = [];
  let month = "", day = "";
  for (const line of shown.lines) {
    if (line.happened.slice(0, 7) !== month) groups.push({ month: (month = line.happened.slice(0, 7)), rows: [] });
    groups[groups.length - 1].rows.push(row(line, line.happened.slice(0, 10) !== day, !quietly && !shown.ids.has(`${line.id} ${line.puts}`)));
    day = line.happened.slice(0, 10);
  }
  shown.ids = new Set(shown.lines.map((line) => `${line.id} ${line.puts}`));
  const parts = groups.map((group) => h("section", {}, h("h2", {}, monthLong.format(new Date(group.month))), h("ol", {}, ...group.rows)));
  if (!shown.lines.length) parts.push(shown.stats?.activities ? nobody() : empty());
  $("lines").replaceChildren(...parts);
  if (focused) $("lines").querySelector(`[data-id="${focused}"]`)?.focus({ preventScroll: true });
}

function row(line, newDay, fresh) {
  const at = new Date(line.happened);
  const facts = line.facts.filter(([, value]) => value !== "" && !/^https?:/.test(value)).slice(0, 4).map(([key, value]) => h("span", { title: `${key}: ${value}` }, h("em", {}, key), value));
  if (line.puts > 1) facts.push(h("span.again", { title: "PUTs that created or updated it" }, `sent ${line.puts}×`));
  const about = [h(`span.kind.${hue(line.type_id)}`, {}, line.type), state.account ? null : h("span.name", {}, line.account), line.contact && h("span", {}, line.contact), h("span", {}, line.source)];
  return h(fresh ? "li.fresh" : "li", {}, h("button.row", { click: () => open(line.id), "data-id": line.id, "aria-current": line.id === state.open },
    h("span.day", {}, ...(newDay ? [h("b", {}, String(at.getUTCDate())), h("span", {}, weekday.format(at))] : [])),
    h(`span.rail.${hue(line.type_id)}`, {}, h("i")),
    h("span.card", {}, h("span.head", {}, h(line.title ? "b" : "b.plain", {}, line.title ?? line.reference ?? "without a reference"), h("time", { datetime: line.happened, title: "UTC" }, clock.format(at))),
      h("span.about", {}, ...about.filter(Boolean)), facts.length ? h("span.facts", {}, ...facts) : null)));
}

function nobody() {
  return h("div.empty", {}, h("h3", {}, "Nothing fits"), h("p", {}, "No activity has all of that."), h("button.quiet", { click: clear }, "Clear the filters"));
}

function empty() {
  const { url = "", token_url = "", client_id = "", client_secret = "" } = shown.stats ?? {};
  const text = `customergauge:\n  url: ${url}\n  token_url: ${token_url}\n  client_id: ${client_id}\n  client_secret: ${client_secret}`;
  return h("div.empty", {}, h("svg", { viewBox: "0 0 120 84", "aria-hidden": "true" }, h("path.arc", { d: "M14 66a46 46 0 0 1 92 0" }), h("path.hand", { d: "M60 62V28" }), h("circle.hub", { cx: 60, cy: 62, r: 7 })),
    h("h3", {}, "Waiting for the first activity"), h("p", {}, "Point cgsync here, and what it sends appears by itself."), h("pre", {}, text));
}

/* ---- the numbers, and noticing that something came ---- */

async function watch() {
  try {
    const stats = await ask("stats"), before = shown.stats, seconds = (performance.now() - shown.at) / 1000;
    const rate = before ? Math.max(0, (stats.puts - before.puts) / seconds) : 0;
    Object.assign(shown, { stats, at: performance.now() });
    drawNumbers(stats, rate);
    if (!before || stats.puts !== before.puts) await refresh();
  } catch {
    $("live").className = "live gone";
    $("live").lastElementChild.textContent = "stopped";
  }
  setTimeout(watch, document.hidden ? REFRESH_MS * 4 : REFRESH_MS);
}

function drawNumbers(stats, rate) {
  const trouble = stats.puts - stats.applied;
  const rows = [["activities", stats.activities, ""], ["accounts", stats.accounts, "minor"], ["created", stats.created, "minor"], ["updated", stats.updated, "minor"], ["refused", stats.refused, stats.refused ? "bad" : ""]];
  $("numbers").replaceChildren(...rows.map(([name, value, kind]) => h(kind ? `div.${kind}` : "div", {}, h("dt", {}, name), h("dd", {}, number.format(value)))));
  $("trouble").hidden = !trouble;
  $("trouble").textContent = number.format(trouble);
  $("trouble").title = "not applied";
  $("live").className = rate ? "live busy" : "live";
  $("live").lastElementChild.textContent = rate ? `${rate < 10 ? rate.toFixed(1) : Math.round(rate)} PUT/s` : stats.faults ? plural(stats.faults, "fault armed", "faults armed") : "live";
}

async function refresh() {
  const puts = state.view === "puts";
  $("timeline").hidden = puts;
  $("puts").hidden = !puts;
  for (const button of document.querySelectorAll("[data-view]")) button.getAttribute("data-view") === state.view ? button.setAttribute("aria-current", "page") : button.removeAttribute("aria-current");
  await Promise.all([puts ? loadPuts() : loadTimeline(), loadAccounts(), drawDetail()]);
}

/* ---- hands ---- */

function clear() {
  $("text").value = "";
  return change({ q: "", type: new Set(), from: "", to: "" });
}

function move(by) {
  const rows = [...document.querySelectorAll(state.view === "puts" ? ".entry" : ".row")], at = rows.indexOf(document.activeElement);
  const current = at >= 0 ? at : rows.findIndex((each) => each.getAttribute("aria-current") === "true");
  const next = rows[Math.max(0, Math.min(rows.length - 1, current + by))];
  next?.focus();
  if (state.open && next?.dataset.id) { state.open = Number(next.dataset.id); remember(); next.setAttribute("aria-current", true); rows[current]?.setAttribute("aria-current", current === rows.indexOf(next)); drawDetail(); }
}

function theme(name) {
  document.documentElement.dataset.theme = name;
  try { localStorage.setItem("theme", name); } catch { /* a private window: not remembered */ }
}

const toggleTheme = () => theme(document.documentElement.dataset.theme === "dark" ? "light" : "dark");
const keys = {
  j: () => move(1), k: () => move(-1), "/": () => $("text").focus(), t: toggleTheme,
  a: () => { if (innerWidth <= 860) picking(true); $("find-account").focus(); },
  p: () => change({ view: state.view === "puts" ? "timeline" : "puts" }, true),
};

function listen() {
  let timer = 0;
  const soon = (action) => { clearTimeout(timer); timer = setTimeout(action, 160); };
  $("text").addEventListener("input", () => soon(() => change({ q: $("text").value.trim() })));
  $("find-account").addEventListener("input", () => soon(() => loadAccounts()));
  for (const id of ["from", "to"]) $(id).addEventListener("change", () => change({ [id]: $(id).value }));
  $("clear").addEventListener("click", clear);
  $("theme").addEventListener("click", toggleTheme);
  $("older").addEventListener("click", () => loadPuts(true));
  $("pick").addEventListener("click", () => picking(true));
  for (const button of document.querySelectorAll("[data-view]")) button.addEventListener("click", () => change({ view: button.dataset.view }, true));
  for (const button of document.querySelectorAll("[data-order]")) button.addEventListener("click", () => { state.order = button.dataset.order; loadAccounts(); });
  for (const button of document.querySelectorAll("[data-puts]")) button.addEventListener("click", () => { shown.entries = []; change({ puts: button.dataset.puts }); });
  addEventListener("popstate", () => { recall(); refresh(); });
  $("accounts").addEventListener("scroll", () => { const list = $("accounts"); if (list.scrollTop + list.clientHeight > list.scrollHeight - 200 && shown.accounts.length < shown.accountsTotal && !shown.paging) { shown.paging = true; loadAccounts(true).finally(() => { shown.paging = false; }); } });
  new IntersectionObserver(([seen]) => { if (seen.isIntersecting && shown.lines.length < shown.total && !shown.growing) { shown.growing = true; loadTimeline(true).finally(() => { shown.growing = false; }); } }, { root: $("main"), rootMargin: "600px" }).observe($("more"));
  addEventListener("keydown", press);
}

function press(event) {
  if (event.ctrlKey || event.metaKey || event.altKey) return;
  const writing = event.target.matches("input");
  if (event.key === "Escape") {
    if (writing) event.target.blur();
    else if ($("layout").classList.contains("picking")) picking(false);
    else if (state.open) { close(); remember(); }
  } else if (!writing && keys[event.key]) {
    event.preventDefault();
    keys[event.key]();
  }
}

let stored = null;
try { stored = localStorage.getItem("theme"); } catch { /* a private window */ }
document.documentElement.dataset.theme = stored ?? (matchMedia("(prefers-color-scheme: dark)").matches ? "dark" : "light");
recall();
listen();
watch();
