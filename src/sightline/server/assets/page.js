"use strict";
// Everything that comes from a model or a file is set as text, never as markup.
const at = (id) => document.getElementById(id);
const MOST = 8;
let models = [], picture = null, turn = 0, shown = "";

const answered = async (reply) => {
  const said = await reply.json();
  if (!reply.ok) throw said;
  return said;
};

async function health() {
  const place = at("health");
  try {
    const reply = await fetch("/health/ready");
    place.textContent = reply.ok ? "ready" : (await reply.json()).code;
    place.className = reply.ok ? "health ready" : "health not";
  } catch { place.textContent = "no answer"; place.className = "health not"; }
}

async function choose() {
  const name = at("model").value;
  if (!name) return;
  const model = await answered(await fetch(`/models/${encodeURIComponent(name)}`));
  const which = at("which"), kept = which.value;
  which.replaceChildren(new Option("as its traffic says", ""));
  for (const [alias, number] of Object.entries(model.aliases)) which.add(new Option(`${alias} (${number})`, alias));
  if ([...which.options].some((one) => one.value === kept)) which.value = kept;
  const about = model.about, first = (about.metrics || [])[0];
  const names = about.names.length;
  at("about").textContent = [
    `${about.name} version ${about.version}: ${about.task}, network ${about.network || "unknown"}`,
    names ? `${names} name${names === 1 ? "" : "s"}: ${about.names.slice(0, 6).join(", ")}${names > 6 ? " …" : ""}` : "",
    first && first.name ? `${first.name} ${Number(first.value).toPrecision(3)}` +
      (first.low == null ? "" : ` (${Number(first.low).toPrecision(3)} to ${Number(first.high).toPrecision(3)})`) : "",
  ].filter(Boolean).join(" · ");
}

const query = () => {
  const words = new URLSearchParams();
  if (at("which").value) words.set("which", at("which").value);
  if (at("least").value) words.set("least", at("least").value);
  const text = words.toString();
  return text ? `?${text}` : "";
};

async function ask() {
  if (!picture || !at("model").value) return;
  const mine = ++turn, path = `/models/${encodeURIComponent(at("model").value)}/predict${query()}`;
  const send = (accept) => fetch(path, {
    method: "POST", body: picture, headers: { Accept: accept, "Content-Type": "application/octet-stream" },
  });
  at("drop").classList.add("busy");
  try {
    const said = await answered(await send("application/json"));
    if (mine !== turn) return;
    tell(said, path);
    const drawn = await send("image/png");
    if (mine === turn && drawn.ok) show(await drawn.blob());
  } catch (error) {
    if (mine === turn) refuse(error);
  } finally {
    if (mine === turn) at("drop").classList.remove("busy");
  }
}

function show(blob) {
  if (shown) URL.revokeObjectURL(shown);
  shown = URL.createObjectURL(blob);
  at("shown").src = shown;
  at("shown").alt = blob.type === "image/png" ? "your picture with the answer drawn on it" : "your picture";
  at("shown").hidden = false;
  at("hint").hidden = true;
}

function reveal(id) {
  for (const one of ["empty", "answer", "wrong"]) at(one).hidden = one !== id;
}

function refuse(error) {
  at("code").textContent = error.code || "no answer";
  at("message").textContent = error.error || "The service could not be reached.";
  reveal("wrong");
}

const count = (answer) => answer.boxes && (Array.isArray(answer.boxes) ? answer.boxes.length : answer.boxes.shape[0]);

function verdict(said) {
  const decision = said.decision, answer = said.answer;
  if (decision) return decision.unsure ? "I don't know" : decision.best;
  if (answer.kind === "objects") {
    const found = count(answer) || 0;
    return found === 1 ? "1 thing found" : `${found || "no"} things found`;
  }
  if (answer.kind === "value") return answer.names.map((name, at) => `${name} ${round(answer.numbers[at])}`).join(", ");
  if (answer.kind === "text") return answer.text;
  if (answer.kind === "labels") return answer.names[0] || "no name";
  if (answer.kind === "heatmap") return `score ${round(answer.score)}`;
  return answer.kind === "picture" ? "a picture" : answer.kind;
}

const round = (value) => value == null ? "unknown" : Number(value).toPrecision(3);

function rows(answer) {
  if (answer.kind === "labels" && Array.isArray(answer.scores)) {
    return answer.names.map((name, at) => [name, answer.scores[at]]).sort((one, two) => two[1] - one[1]);
  }
  if (answer.kind === "objects" && Array.isArray(answer.scores) && Array.isArray(answer.classes)) {
    return answer.classes.map((place, at) => [answer.names[place], answer.scores[at]]).sort((one, two) => two[1] - one[1]);
  }
  return [];
}

const part = (kind, text, name = "") => Object.assign(document.createElement(kind), { textContent: text, className: name });

function tell(said, path) {
  const decision = said.decision;
  at("verdict").textContent = verdict(said);
  at("verdict").classList.toggle("unsure", Boolean(decision && decision.unsure));
  at("why").textContent = !decision ? "" : decision.unsure ? decision.why
    : decision.level ? `the only name that stands with ${Math.round(decision.level * 100)} % coverage` : "";
  const bars = at("bars"), inside = new Set(decision ? decision.names : []), found = rows(said.answer);
  bars.replaceChildren();
  for (const [name, score] of found.slice(0, MOST)) {
    const bar = part("div", "", inside.has(name) ? "bar in" : "bar"), fill = document.createElement("i");
    fill.style.width = `${Math.max(0, Math.min(1, score)) * 100}%`;
    bar.append(fill);
    const label = part("span", name, "of");
    label.title = name;
    bars.append(label, bar, part("span", Number(score).toFixed(3), "number"));
  }
  if (found.length > MOST) bars.append(part("span", `and ${found.length - MOST} more`, "of"));
  const seconds = Object.entries(said.seconds).map(([name, value]) => `${name} ${(value * 1000).toFixed(1)} ms`);
  const facts = [
    ["model", `${said.model}, version ${said.version}`], ["arm", said.arm],
    ["limit", said.thresholds.least == null ? "none" : `scores of ${round(said.thresholds.least)} and more`],
    ["unlike", decision && decision.outlier != null ? `${round(decision.outlier)} (more than 1 is unlike all it learnt from)` : ""],
    ["time", seconds.join(", ") + (said.kept ? " (remembered)" : "")], ["request", said.request_id],
  ];
  at("facts").replaceChildren(...facts.filter(([, value]) => value).flatMap(([name, value]) => [part("dt", name), part("dd", value)]));
  at("json").textContent = JSON.stringify(said, null, 1);
  at("curl").textContent = `curl -F picture=@photo.jpg '${location.origin}${path}'`;
  reveal("answer");
}

function take(file) {
  if (!file) return;
  picture = file;
  show(file);
  ask();
}

at("file").addEventListener("change", (event) => { take(event.target.files[0]); event.target.value = ""; });
for (const name of ["dragenter", "dragover"]) {
  document.addEventListener(name, (event) => { event.preventDefault(); at("drop").classList.add("over"); });
}
for (const name of ["dragleave", "drop"]) document.addEventListener(name, () => at("drop").classList.remove("over"));
document.addEventListener("drop", (event) => { event.preventDefault(); take(event.dataTransfer.files[0]); });
document.addEventListener("paste", (event) => take([...event.clipboardData.files][0]));
at("model").addEventListener("change", () => choose().then(ask).catch(refuse));
at("which").addEventListener("change", ask);
at("least").addEventListener("change", ask);

(async () => {
  health();
  setInterval(health, 5000);
  try {
    models = (await answered(await fetch("/models"))).models;
    at("model").replaceChildren(...models.map((one) => new Option(one.name, one.name)));
    if (!models.length) at("about").textContent = "No model is served yet: sightline register BUNDLE --name NAME";
    await choose();
  } catch (error) { refuse(error); }
})();
