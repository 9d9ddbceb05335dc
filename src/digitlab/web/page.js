// The page around the reader: a canvas for mouse, pen and finger, and the answer beside it.
"use strict";

(() => {
  const INK = "#15181d", PAPER = "#ffffff";
  const part = (id) => document.getElementById(id);
  const canvas = part("canvas"), pen = part("pen"), digit = part("digit"), words = part("words");
  const context = canvas.getContext("2d", { willReadFrequently: true });
  const EMPTY = "Nothing written yet. The answer appears here each time you lift the pen.";
  let strokes = [], current = null, turn = 0;

  // ---- writing -----------------------------------------------------------------------------

  function place(event) {
    const box = canvas.getBoundingClientRect();
    return [
      ((event.clientX - box.left) * canvas.width) / box.width,
      ((event.clientY - box.top) * canvas.height) / box.height,
    ];
  }

  function begin(event) {
    if (current || event.button > 0) return; // one pen at a time
    event.preventDefault();
    canvas.setPointerCapture(event.pointerId);
    current = { pointer: event.pointerId, width: Number(pen.value), points: [place(event)] };
    strokes.push(current);
    redraw();
  }

  function go(event) {
    if (current?.pointer !== event.pointerId) return;
    const passed = event.getCoalescedEvents?.() ?? [];
    current.points.push(...(passed.length ? passed : [event]).map(place));
    redraw();
  }

  function lift(event) {
    if (current?.pointer !== event.pointerId) return;
    current = null;
    answer();
  }

  function redraw() {
    context.fillStyle = PAPER;
    context.fillRect(0, 0, canvas.width, canvas.height);
    context.strokeStyle = INK;
    context.lineCap = context.lineJoin = "round";
    for (const { width, points } of strokes) {
      context.lineWidth = width;
      context.beginPath();
      context.moveTo(...points[0]);
      for (const point of points) context.lineTo(...point); // to itself first: a dot is seen
      context.stroke();
    }
    part("undo").disabled = part("clear").disabled = strokes.length === 0;
  }

  // ---- the answer --------------------------------------------------------------------------

  const bars = Array.from({ length: 10 }, (_, i) => {
    const row = document.createElement("li");
    row.innerHTML = `<span>${i}</span><div class="track"><div class="bar"></div></div>`;
    const share = row.appendChild(document.createElement("span"));
    share.className = "share";
    part("bars").append(row);
    return { row, share, bar: row.querySelector(".bar") };
  });

  const percent = (share) => `${(100 * share).toFixed(share < 0.9995 && share > 0.0005 ? 1 : 0)} %`;

  async function answer() {
    const mine = ++turn; // an answer that comes after the next stroke is not shown
    const image = context.getImageData(0, 0, canvas.width, canvas.height);
    const began = performance.now();
    try {
      const found = await DigitLab.read(image);
      if (mine === turn) show(found, performance.now() - began);
    } catch (error) {
      words.textContent = `It could not be read: ${error.message ?? error}`;
    }
  }

  function show(found, milliseconds) {
    digit.textContent = found?.accepted ? found.digit : found ? "?" : "";
    digit.className = found?.accepted ? "" : "doubtful";
    words.textContent = found ? sentence(found, milliseconds) : EMPTY;
    bars.forEach(({ row, bar, share }, i) => {
      row.className = found && i === found.digit ? "best" : "";
      bar.style.width = `${100 * (found?.probabilities[i] ?? 0)}%`;
      share.textContent = found ? percent(found.probabilities[i]) : "";
    });
    part("seen").hidden = !found;
    if (found) showInk(found.ink);
  }

  function sentence(found, milliseconds) {
    const verdict = found.verdict[0].toUpperCase() + found.verdict.slice(1);
    const share = found.confidence >= 0.9995 ? "over 99.9 %" : percent(found.confidence);
    const time = `${Math.max(1, Math.round(milliseconds))} ms`;
    if (found.accepted) return `${verdict}, ${share} · ${time}`;
    if (verdict.endsWith("?")) return `${verdict} · ${time}`;
    return `${verdict}. If it is one, then ${found.digit} · ${time}`;
  }

  function showInk(ink) {
    const small = part("ink").getContext("2d");
    const pixels = small.createImageData(DigitLab.SIDE, DigitLab.SIDE);
    ink.forEach((value, i) => pixels.data.set([value, value, value, 255], 4 * i));
    small.putImageData(pixels, 0, 0);
  }

  // ---- starting ----------------------------------------------------------------------------

  canvas.addEventListener("pointerdown", begin);
  canvas.addEventListener("pointermove", go);
  canvas.addEventListener("pointerup", lift);
  canvas.addEventListener("pointercancel", lift);
  part("undo").addEventListener("click", () => { strokes.pop(); redraw(); answer(); });
  part("clear").addEventListener("click", () => { strokes = []; redraw(); answer(); });
  part("about").textContent =
    `Digit Lab, model version ${DIGITLAB.sheet.version}, run by LiteRT.js. ` +
    "How it was measured: MODEL_CARD.md beside this page.";

  redraw();
  DigitLab.start().then(
    () => {
      document.body.dataset.ready = "true";
      if (!strokes.length) show(null);
    },
    (error) => { words.textContent = `The model can't be loaded: ${error.message ?? error}`; },
  );
})();
