// The second half of the page's script: one activity, and every PUT. Functions only; page.js starts.

/* ---- one activity ---- */

async function open(id) {
  state.open = id;
  remember(true);
  for (const button of document.querySelectorAll(".row")) button.setAttribute("aria-current", Number(button.dataset.id) === id);
  await drawDetail();
}

async function drawDetail() {
  if (!state.open) return close();
  try {
    const activity = await ask(`activities/${state.open}`), key = `${activity.id} ${activity.history.length} ${activity.updated}`;
    if (activity.id !== state.open || $("detail").dataset.key === key) return;
    $("detail").dataset.key = key;
    $("detail").replaceChildren(...detail(activity));
  } catch { return close(); }
  $("detail").hidden = false;
  $("layout").classList.add("open");
}

function close() {
  const id = state.open;
  Object.assign(state, { open: null });
  $("detail").hidden = true;
  delete $("detail").dataset.key;
  $("layout").classList.remove("open");
  for (const button of document.querySelectorAll(".row[aria-current=true]")) button.setAttribute("aria-current", false);
  document.querySelector(`.row[data-id="${id}"]`)?.focus({ preventScroll: true });
}

function detail(activity) {
  const raw = h("pre", { id: "raw", tabindex: "0" }, ...coloured(pretty(activity.body)));
  const at = new Date(activity.happened);
  return [
    h("div.top", {}, h(`span.chip.${hue(activity.type_id)}`, {}, h("i"), activity.type), h("button.icon", { click: () => { close(); remember(); }, "aria-label": "Close", title: "Close (Esc)" }, h("svg", { viewBox: "0 0 24 24" }, h("path", { d: "m6.5 6.5 11 11m0-11-11 11" })))),
    h("h3", {}, activity.title ?? activity.reference ?? "Without a reference"),
    pairs([["account", activity.account, activity.account_id], ["contact", activity.contact, activity.contact_id], ["source", activity.source], ["happened", `${dayLong.format(at)}, ${clock.format(at)} UTC`], ["reference", activity.reference, null, "code"], ["activity", `#${activity.id}`]]),
    ...(activity.information.length ? [h("h4", {}, "Additional information"), pairs(activity.information)] : []),
    h("h4", {}, h("span", {}, "Body as it was sent"), switcher(activity.body, raw), copier(activity.body)), raw,
    ...(activity.history.length ? [h("h4", {}, "PUTs"), h("ul.history", {}, ...activity.history.map((entry) => h("li", {}, status(entry), entry.outcome, h("em", {}, localLong.format(new Date(entry.at * 1000))))))] : []),
  ];
}

function pairs(rows) {
  const wanted = rows.filter(([, value, id]) => (value !== null && value !== undefined && value !== "") || id);
  return h("dl.pairs", {}, ...wanted.flatMap(([key, value, id, kind]) => [h("dt", {}, key), h(kind ? `dd.${kind}` : "dd", {}, link(value), id ? h("small", {}, `#${id}`) : null)]));
}

function link(value) {
  if (!/^https?:\/\/[^\s]+$/.test(value ?? "")) return value;
  return h("a", { href: value, target: "_blank", rel: "noopener noreferrer nofollow" }, value);
}

function switcher(text, raw) {
  const button = h("button.small", { "aria-pressed": "false" }, "exact bytes");
  button.addEventListener("click", () => {
    const exact = button.getAttribute("aria-pressed") === "false";
    button.setAttribute("aria-pressed", exact);
    raw.replaceChildren(...coloured(exact ? text : pretty(text)));
  });
  return button;
}

function copier(text) {
  const button = h("button.small", {}, "copy");
  button.addEventListener("click", async () => {
    try { await navigator.clipboard.writeText(text); button.textContent = "copied"; } catch { button.textContent = "not allowed"; }
    setTimeout(() => { button.textContent = "copy"; }, 1400);
  });
  return button;
}

/** Indents JSON without parsing it: numbers keep their digits, keys their order. */
function pretty(text) {
  let depth = 0;
  return (text.match(/"(?:[^"\\]|\\.)*"|[{}[\],:]|[^\s"{}[\],:]+/g) ?? [text]).map((part, i, all) => {
    const line = () => "\n" + "  ".repeat(depth);
    if (part === "{" || part === "[") return "}]".includes(all[i + 1]) ? part : (depth += 1, part + line());
    if (part === "}" || part === "]") return "{[".includes(all[i - 1]) ? part : (depth -= 1, line() + part);
    return part === "," ? part + line() : part === ":" ? ": " : part;
  }).join("");
}

function coloured(text) {
  return (text.match(/"(?:[^"\\]|\\.)*"(?=\s*:)|"(?:[^"\\]|\\.)*"|-?\d[\d.eE+-]*|true|false|null|[^"\d-]+?(?=["\d-]|true|false|null|$)|[^]/g) ?? []).map((part, i, all) => {
    const kind = part[0] === '"' ? (/^\s*:/.test(all[i + 1] ?? "") ? "k" : "s") : /^-?\d/.test(part) ? "n" : /^(true|false|null)$/.test(part) ? "w" : "";
    return kind ? h(`span.${kind}`, {}, part) : part;
  });
}

/* ---- every PUT ---- */

async function loadPuts(more = false) {
  const last = shown.entries?.at(-1)?.n, newest = more ? 100 : Math.min(500, Math.max(100, shown.entries?.length ?? 0));
  const words = { newest, before: more ? last : "", ...(state.puts === "trouble" ? { trouble: 1 } : {}) };
  const found = await ask("log", words);
  shown.entries = more ? [...shown.entries, ...found] : found;
  $("older").hidden = found.length < newest;
  const unfolded = new Set([...document.querySelectorAll("#entries [aria-expanded=true]")].map((each) => each.dataset.n)), focused = document.activeElement?.dataset?.n;
  $("entries").replaceChildren(shown.entries.length ? h("ul", {}, ...shown.entries.map((each) => entry(each, unfolded.has(String(each.n))))) : h("p.none", {}, state.puts === "trouble" ? "Everything was applied." : "No PUT yet."));
  if (focused) $("entries").querySelector(`[data-n="${focused}"]`)?.focus({ preventScroll: true });
  for (const button of document.querySelectorAll("[data-puts]")) button.setAttribute("aria-pressed", button.dataset.puts === state.puts);
}

function status(each) {
  const kind = each.applied && each.status < 300 ? "" : each.status >= 500 || each.status === 429 || each.status < 300 ? ".warn" : ".bad";
  return h(`span.status${kind}`, {}, String(each.status));
}

function entry(each, unfolded) {
  const why = each.errors ? Object.values(each.errors).flat().join(" ") : each.applied ? null : each.outcome;
  const raw = h("pre", { hidden: unfolded ? null : "" }, ...coloured(pretty(each.body || "(no body)")));
  const button = h("button.entry", { "aria-expanded": unfolded, "data-n": each.n }, h("em", {}, `#${each.n}`), h("em.when", {}, local.format(new Date(each.at * 1000))), status(each),
    h("code", {}, each.reference ?? "—"), h("span.name", {}, each.account ?? ""), why && h("small", {}, why));
  button.addEventListener("click", () => { raw.hidden = !raw.hidden; button.setAttribute("aria-expanded", !raw.hidden); });
  return h("li", {}, button, raw);
}
