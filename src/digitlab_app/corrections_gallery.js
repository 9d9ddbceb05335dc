/* The cards and what can be done with them. What is chosen lives here, in the browser; the server
   hears of it only with an action. */

const ICONS = {
  accepted: "M4 12.5l5 5L20 6.5",
  rejected: "M6 6l12 12M18 6L6 18",
  delete: "M4 7h16M9.5 7V4.5h5V7M6.5 7l1 13h9l1-13M10.5 11v5.5M13.5 11v5.5",
};
const ACTIONS = [["accepted", "Accept", "A"], ["rejected", "Reject", "R"], ["delete", "Delete", "Del"]];
const KEYS = { a: "accepted", r: "rejected", Delete: "delete" };
const MOVES = { ArrowLeft: -1, ArrowRight: 1 };

export default function ({ parentElement, data, setTriggerValue }) {
  const list = parentElement.querySelector(".cards");
  const memory = (list.memory ??= {
    chosen: new Set(), every: false, known: new Map(), last: null, scope: data.scope,
  });
  const find = (selector) => parentElement.querySelector(selector);

  forgetWhatIsGone();
  memory.send = (message) => setTriggerValue("action", message);
  const focus = whereFocusIs();
  list.replaceChildren(...data.samples.map(cardOf));
  list.classList.toggle("pixelated", data.pixelated);
  restoreFocus(focus);
  showBar();
  showChosen();

  function forgetWhatIsGone() {
    const ids = new Set(data.samples.map((sample) => sample.id));
    const kept = memory.scope === data.scope;
    memory.scope = data.scope;
    if (!kept && list.getBoundingClientRect().top < 0) list.scrollIntoView();
    memory.chosen = new Set(kept ? [...memory.chosen].filter((id) => ids.has(id)) : []);
    memory.every = false;
    for (const id of memory.known.keys()) if (!ids.has(id)) memory.known.delete(id);
  }

  /* -- the bar ---------------------------------------------------------------------------- */

  function showBar() {
    find(".done").textContent = data.done;
    find(".bar").classList.toggle("told", data.done !== "");
    find(".undo").hidden = !data.undoable;
    find(".undo").onclick = () => memory.send({ do: "undo", ids: [], every: false });
    find(".page input").onchange = ({ target }) => {
      memory.every = false;
      memory.chosen = new Set(target.checked ? data.samples.map((sample) => sample.id) : []);
      showChosen();
    };
    find(".every").hidden = data.total <= data.samples.length;
    find(".every").textContent = `Choose all ${data.total.toLocaleString("en-GB")}`;
    find(".every").onclick = () => {
      memory.every = true;
      memory.chosen = new Set(data.samples.map((sample) => sample.id));
      showChosen();
    };
    const tools = find(".tools");
    if (!tools.childElementCount) {
      for (const [name, text] of ACTIONS) {
        const button = tools.appendChild(iconButton(name, text));
        button.append(text);
        button.onclick = () => act({ do: name });
      }
      tools.appendChild(element("span", "are")).textContent = "They are";
      tools.appendChild(picker("Those chosen are", (label) => act({ do: "relabel", label })));
    }
  }

  function showChosen() {
    const count = memory.every ? data.total : memory.chosen.size;
    const words = memory.every ? `all ${count.toLocaleString("en-GB")} chosen` : `${count} chosen`;
    find(".count").textContent = count ? words : "none chosen";
    find(".page input").checked = count > 0 && memory.chosen.size === data.samples.length;
    find(".page input").indeterminate = count > 0 && memory.chosen.size < data.samples.length;
    find(".bar").classList.toggle("choosing", count > 0);
    for (const control of find(".tools").querySelectorAll("button")) control.disabled = !count;
    for (const node of list.children) {
      const chosen = memory.chosen.has(node.sample.id);
      node.querySelector("input").checked = chosen;
      node.classList.toggle("chosen", chosen);
    }
  }

  function act(action) {
    const ids = memory.every ? [] : [...memory.chosen];
    if (memory.every || ids.length) tell({ ...action, ids, every: memory.every });
    memory.chosen.clear();
    memory.every = false;
    showChosen();
  }

  function tell(message) {
    for (const node of list.children) {
      if (message.every || message.ids.includes(node.sample.id)) node.classList.add("busy");
    }
    memory.send(message);
  }

  /* -- the cards -------------------------------------------------------------------------- */

  function cardOf(sample) {
    const text = JSON.stringify(sample);
    let entry = memory.known.get(sample.id);
    if (entry?.text !== text) {
      entry = { text, node: built(sample) };
      memory.known.set(sample.id, entry);
    }
    entry.node.classList.remove("busy");
    return entry.node;
  }

  function built(sample) {
    const node = element("li", sample.right ? "card" : "card wrong");
    const name = labelText(sample.label);
    const only = (action) => {
      // A second key before the answer to the first would hide the first one's undo.
      if (node.classList.contains("busy")) return;
      tell({ ...action, ids: [sample.id], every: false });
    };
    node.sample = sample;
    node.append(picture(sample, name), heading(sample, name, node, only));
    node.appendChild(element("p", "read")).textContent = sample.read;
    const time = new Date(sample.time);
    const facts = [sample.source, sample.version && `version ${sample.version}`, shortly(time)];
    const about = node.appendChild(element("p", "about"));
    about.textContent = facts.filter(Boolean).join(" · ");
    about.title = time.toLocaleString("en-GB", { dateStyle: "full", timeStyle: "medium" });
    node.append(judgement(sample, only));
    node.onkeydown = (event) => pressed(event, sample, only);
    return node;
  }

  function picture(sample, name) {
    const place = element("label", "picture");
    const box = place.appendChild(element("input"));
    box.type = "checkbox";
    box.setAttribute("aria-label", `Choose sample ${sample.id}: ${name}, ${sample.read}`);
    box.setAttribute("aria-keyshortcuts", "A R Delete N 0 1 2 3 4 5 6 7 8 9");
    const image = place.appendChild(element("img"));
    image.src = sample.picture;
    image.alt = "";
    box.onclick = (event) => choose(sample.id, box.checked, event.shiftKey);
    return place;
  }

  function heading(sample, name, node, only) {
    const head = element("div", "head");
    const label = head.appendChild(element("button", "label"));
    label.type = "button";
    label.textContent = name;
    label.title = "Say what it really is";
    label.setAttribute("aria-label", `Relabel sample ${sample.id}, which is ${name}`);
    label.setAttribute("aria-expanded", "false");
    label.onclick = () => {
      const open = node.querySelector(".picker");
      label.setAttribute("aria-expanded", String(!open));
      if (open) {
        open.remove();
        return;
      }
      const choices = picker(`Sample ${sample.id} is`, (value) => {
        only({ do: "relabel", label: value });
        label.click();
        label.focus();
      });
      choices.querySelector(`[data-label="${sample.label}"]`).classList.add("current");
      head.after(choices);
      choices.querySelector("button").focus();
    };
    const state = head.appendChild(element("span", `state ${sample.state}`));
    state.textContent = sample.state;
    return head;
  }

  function judgement(sample, only) {
    const row = element("div", "judgement");
    for (const [name, text, key] of ACTIONS) {
      const button = row.appendChild(iconButton(name, text));
      const held = sample.state === name;
      button.title = `${held ? "Back to pending" : text} (${key})`;
      button.setAttribute("aria-label", `${text} sample ${sample.id}`);
      if (name !== "delete") button.setAttribute("aria-pressed", String(held));
      button.onclick = () => only({ do: held ? "pending" : name });
    }
    return row;
  }

  function choose(id, chosen, upTo) {
    const ids = data.samples.map((sample) => sample.id);
    const from = upTo && ids.includes(memory.last) ? ids.indexOf(memory.last) : ids.indexOf(id);
    const [first, last] = [from, ids.indexOf(id)].sort((a, b) => a - b);
    for (const each of ids.slice(first, last + 1)) {
      if (chosen) memory.chosen.add(each);
      else memory.chosen.delete(each);
    }
    memory.every = false;
    memory.last = id;
    showChosen();
  }

  function pressed(event, sample, only) {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    const key = event.key.length === 1 ? event.key.toLowerCase() : event.key;
    const move = MOVES[key];
    if (key === "Escape" && event.currentTarget.querySelector(".picker")) {
      event.currentTarget.querySelector(".label").click();
      event.currentTarget.querySelector(".label").focus();
    } else if (/^[0-9]$/.test(key)) only({ do: "relabel", label: Number(key) });
    else if (key === "n") only({ do: "relabel", label: 10 });
    else if (KEYS[key]) only({ do: KEYS[key] === sample.state ? "pending" : KEYS[key] });
    else if (move) focusOn(list.children[place(sample.id) + move], controlOf(event.target));
    else return;
    event.preventDefault();
  }

  /* -- focus, which stays in its place when a card goes -------------------------------------- */

  function whereFocusIs() {
    const active = (parentElement.activeElement ? parentElement : document).activeElement;
    const node = active?.closest?.("li.card");
    if (!node || node.parentNode !== list) return null;
    return { id: node.sample.id, index: [...list.children].indexOf(node), control: controlOf(active) };
  }

  function restoreFocus(focus) {
    if (!focus) return;
    const cards = [...list.children];
    const same = cards.find((node) => node.sample.id === focus.id);
    focusOn(same ?? cards[Math.min(focus.index, cards.length - 1)], focus.control);
  }

  function controlOf(target) {
    return target.dataset?.do ?? (target.classList?.contains("label") ? "label" : "box");
  }

  function focusOn(node, control) {
    if (!node) return;
    const names = { box: "input", label: ".label" };
    node.querySelector(names[control] ?? `[data-do="${control}"]`).focus();
  }

  function place(id) {
    return data.samples.findIndex((sample) => sample.id === id);
  }

  /* -- small parts --------------------------------------------------------------------------- */

  function labelText(label) {
    return data.labels.find(({ value }) => value === label).text;
  }

  function picker(title, onChoice) {
    const row = element("div", "picker");
    row.setAttribute("role", "group");
    row.setAttribute("aria-label", title);
    for (const { value, text } of data.labels) {
      const button = row.appendChild(element("button"));
      button.type = "button";
      button.dataset.label = value;
      button.textContent = text;
      button.setAttribute("aria-label", `${title} ${text}`);
      button.onclick = () => onChoice(value);
    }
    return row;
  }

  function iconButton(name) {
    const button = element("button");
    button.type = "button";
    button.dataset.do = name;
    button.innerHTML = `<svg viewBox="0 0 24 24" aria-hidden="true"><path d="${ICONS[name]}"/></svg>`;
    return button;
  }

  function shortly(time) {
    const year = time.getFullYear() === new Date().getFullYear() ? {} : { year: "numeric" };
    const day = { day: "numeric", month: "short", ...year };
    return time.toLocaleString("en-GB", { ...day, hour: "2-digit", minute: "2-digit" });
  }

  function element(name, className = "") {
    const made = document.createElement(name);
    made.className = className;
    return made;
  }
}
