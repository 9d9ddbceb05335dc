/* Built once for the same choices, then brought up to date: a rebuilt checkbox would lose the
   focus. */

export default function ({ parentElement, data, setTriggerValue }) {
  const details = parentElement.querySelector("details");
  const groups = parentElement.querySelector(".groups");
  const clear = parentElement.querySelector(".clear");
  const shape = JSON.stringify(data.facets.map((f) => f.choices.map((c) => c.text)));
  if (groups.dataset.shape === undefined) {
    details.open = data.wanted > 0 || window.matchMedia("(min-width: 641px)").matches;
  }
  if (groups.dataset.shape !== shape) {
    groups.dataset.shape = shape;
    groups.replaceChildren(...data.facets.map(build));
  }
  data.facets.forEach((facet, row) => {
    const labels = groups.children[row].querySelectorAll("label");
    facet.choices.forEach((choice, column) => {
      const label = labels[column];
      const count = choice.count.toLocaleString("en-GB");
      label.className = choice.count ? "" : "none";
      label.firstChild.checked = choice.chosen;
      label.firstChild.setAttribute("aria-label", `${facet.title}: ${choice.text}, ${count}`);
      label.lastChild.textContent = count;
    });
  });
  const on = data.wanted === 0 ? "" : `${data.wanted} on`;
  parentElement.querySelector(".on").textContent = on;
  clear.hidden = data.wanted === 0;
  clear.onclick = () => {
    setTriggerValue("chosen", { part: "", values: [] });
    details.querySelector("summary").focus();
  };

  function build(facet) {
    const group = document.createElement("fieldset");
    group.appendChild(document.createElement("legend")).textContent = facet.title;
    for (const choice of facet.choices) {
      const label = group.appendChild(document.createElement("label"));
      const box = label.appendChild(document.createElement("input"));
      box.type = "checkbox";
      box.onchange = () => tell(facet, group, box);
      label.appendChild(document.createElement("span")).textContent = choice.text;
      label.appendChild(document.createElement("small"));
    }
    return group;
  }

  function tell({ part, choices }, group, changed) {
    const boxes = [...group.querySelectorAll("input")];
    if (part === "confirmed" && changed.checked) {
      boxes.forEach((box) => { box.checked = box === changed; });
    }
    const values = choices.flatMap(({ value }, index) => (boxes[index].checked ? [value] : []));
    setTriggerValue("chosen", { part, values });
  }
}
