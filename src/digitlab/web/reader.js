// Reads one handwritten digit in a picture: its ink, brought into MNIST's 28x28 frame as Digit
// Lab does it, and what the model makes of that. Needs data.js and litert/ beside it.
"use strict";

const DigitLab = (() => {
  const SIDE = 28, BODY = 20, FINE = 4; // pixels: the frame, the digit in it, finer while at work
  const THIN = 2.0, THICK = 3.7; // of a stroke in the frame, in pixels
  const PAD = 16; // room for a stroke that is widened
  const INK = 0.25; // share of the darkest ink from which a pixel is ink
  const LEAST_CONTRAST = 0.055 * 255; // less is a blank picture
  const SPECK = 0.13; // of the tallest part: what is smaller in both directions is dirt
  const REFUSED = "this may not be a digit";

  // ---- pictures: {w, h, data}, data row by row -------------------------------------------

  function picture(w, h, make = Float32Array) {
    return { w, h, data: new make(w * h) };
  }

  function map(from, value) {
    const to = picture(from.w, from.h);
    for (let i = 0; i < to.data.length; i++) to.data[i] = value(from.data[i], i);
    return to;
  }

  /** The part of a picture within a box {left, top, right, bottom}. */
  function crop(from, box) {
    const to = picture(box.right - box.left, box.bottom - box.top);
    for (let y = 0; y < to.h; y++) {
      const start = (box.top + y) * from.w + box.left;
      to.data.set(from.data.subarray(start, start + to.w), y * to.w);
    }
    return to;
  }

  /** The box around every pixel above `level`, or null. */
  function bounds(from, level) {
    let left = from.w, top = from.h, right = 0, bottom = 0;
    for (let y = 0; y < from.h; y++) {
      for (let x = 0; x < from.w; x++) {
        if (from.data[y * from.w + x] > level) {
          left = Math.min(left, x);
          right = Math.max(right, x + 1);
          top = Math.min(top, y);
          bottom = y + 1;
        }
      }
    }
    return bottom ? { left, top, right, bottom } : null;
  }

  /** A picture with a border of one value around it. */
  function pad(from, border, value = 0) {
    const to = picture(from.w + 2 * border, from.h + 2 * border);
    to.data.fill(value);
    for (let y = 0; y < from.h; y++) {
      to.data.set(from.data.subarray(y * from.w, (y + 1) * from.w), (y + border) * to.w + border);
    }
    return to;
  }

  /** To the nearest whole number, halves to the even one. */
  function even(x) {
    const low = Math.floor(x);
    return x - low === 0.5 ? low + (low & 1) : Math.round(x);
  }

  const byte = (x) => Math.min(255, Math.max(0, even(x)));

  // ---- resampling: each new pixel is a weighted sum of old ones, along one axis at a time ----

  /** Weights by which areas are averaged: [[index, weight], …] for each new pixel. */
  function areas(from, to) {
    const scale = from / to;
    return Array.from({ length: to }, (_, i) => {
      const start = i * scale, end = Math.min(from, (i + 1) * scale), parts = [];
      for (let j = Math.floor(start); j < end; j++) {
        const share = Math.min(end, j + 1) - Math.max(start, j);
        if (share > 1e-6) parts.push([j, share / (end - start)]);
      }
      return parts;
    });
  }

  /** Weights of a cubic spline (Keys 1981, a = -0.75), the edge repeated. */
  function cubics(from, to) {
    const a = -0.75, scale = from / to;
    return Array.from({ length: to }, (_, i) => {
      const at = (i + 0.5) * scale - 0.5, j = Math.floor(at), t = at - j;
      const far = (d) => ((a * d - 5 * a) * d + 8 * a) * d - 4 * a;
      const near = (d) => ((a + 2) * d - (a + 3)) * d * d + 1;
      return [far(t + 1), near(t), near(1 - t), far(2 - t)].map((weight, k) => [
        Math.min(from - 1, Math.max(0, j - 1 + k)), weight,
      ]);
    });
  }

  /** A picture at another size, values 0 to 255. */
  function resize(from, w, h, weights) {
    const wide = picture(w, from.h, Float64Array), to = picture(w, h);
    weights(from.w, w).forEach((parts, x) => {
      for (const [j, weight] of parts) {
        for (let y = 0; y < from.h; y++) wide.data[y * w + x] += weight * from.data[y * from.w + j];
      }
    });
    weights(from.h, h).forEach((parts, y) => {
      for (let x = 0; x < w; x++) {
        let sum = 0;
        for (let k = 0; k < parts.length; k++) sum += parts[k][1] * wide.data[parts[k][0] * w + x];
        to.data[y * w + x] = byte(sum);
      }
    });
    return to;
  }

  /** The size at which the longer side has `longest` pixels. */
  function scaled(from, longest) {
    const factor = longest / Math.max(from.w, from.h);
    return [Math.max(1, even(from.w * factor)), Math.max(1, even(from.h * factor)), factor];
  }

  // ---- shapes ------------------------------------------------------------------------------

  /** A disc: how far it reaches to the left and the right in each row. */
  function disc(radius) {
    return Array.from({ length: 2 * radius + 1 }, (_, i) => {
      const dy = i - radius;
      return even(radius * Math.sqrt((radius * radius - dy * dy) / (radius * radius)));
    });
  }

  const SQUARE = [1, 1, 1]; // three by three pixels, as `disc` describes them

  /** The largest value within a shape around each pixel, or with `least` the least one. */
  function spread(from, reaches, least = false) {
    const radius = (reaches.length - 1) / 2, wide = pad(from, radius, least ? 255 : 0);
    const offsets = reaches.flatMap((reach, i) =>
      Array.from({ length: 2 * reach + 1 }, (_, k) => (i - radius) * wide.w + k - reach));
    const to = picture(from.w, from.h);
    for (let y = 0; y < from.h; y++) {
      for (let x = 0; x < from.w; x++) {
        const at = (y + radius) * wide.w + x + radius;
        let best = wide.data[at];
        for (let k = 0; k < offsets.length; k++) {
          const value = wide.data[at + offsets[k]];
          if (least ? value < best : value > best) best = value;
        }
        to.data[y * from.w + x] = best;
      }
    }
    return to;
  }

  const AROUND = [[1, 0], [1, 1], [0, 1], [-1, 1], [-1, 0], [-1, -1], [0, -1], [1, -1]];

  /** The length of all outlines, outer ones and those of holes (Suzuki and Abe 1985). */
  function outlines(mask) {
    const w = mask.w + 2, h = mask.h + 2; // a border of paper
    const mark = new Int8Array(w * h); // 1 ink, 2 seen, -1 seen with paper to the right
    for (let y = 0; y < mask.h; y++) {
      for (let x = 0; x < mask.w; x++) {
        if (mask.data[y * mask.w + x] > 0) mark[(y + 1) * w + x + 1] = 1;
      }
    }
    const step = AROUND.map(([dx, dy]) => dy * w + dx);
    let length = 0;
    for (let at = w; at < mark.length - w; at++) {
      if (mark[at] === 1 && mark[at - 1] === 0) length += follow(mark, step, at, 4);
      else if (mark[at] > 0 && mark[at + 1] === 0) length += follow(mark, step, at, 0);
    }
    return length;
  }

  /** Follow one outline from `start`, whose neighbour in direction `from` is paper. */
  function follow(mark, step, start, from) {
    let first = -1;
    for (let k = 1; k <= 8 && first < 0; k++) {
      const direction = (from + k) % 8;
      if (mark[start + step[direction]] !== 0) first = direction;
    }
    if (first < 0) {
      mark[start] = -1;
      return 0;
    }
    const second = start + step[first];
    let here = start, back = first, length = 0;
    for (;;) {
      let rightIsPaper = false, direction = back;
      do {
        direction = (direction + 7) % 8;
        if (direction === 0 && mark[here + step[0]] === 0) rightIsPaper = true;
      } while (mark[here + step[direction]] === 0);
      if (rightIsPaper) mark[here] = -1;
      else if (mark[here] === 1) mark[here] = 2;
      length += direction % 2 ? Math.SQRT2 : 1;
      const next = here + step[direction];
      if (next === start && here === second) return length;
      here = next;
      back = (direction + 4) % 8;
    }
  }

  /** Mean width of the strokes: a band's area is width x length, its outline twice its length. */
  function strokeWidth(mask) {
    const area = mask.data.reduce((sum, value) => sum + (value > 0), 0);
    const length = outlines(mask);
    return length ? (2 * area) / (length + 2) : area;
  }

  /** The ink without dirt: connected parts that are tiny beside the tallest are left out. */
  function withoutSpecks(mask) {
    const wide = pad(mask, 1), label = new Int32Array(wide.data.length), parts = [];
    for (let start = 0; start < label.length; start++) {
      if (wide.data[start] && !label[start]) parts.push(flood(wide, label, start, parts.length + 1));
    }
    const tallest = parts.reduce((most, part) => Math.max(most, part.h), 0);
    const least = Math.max(3, SPECK * tallest);
    const kept = parts.map((part) => Math.max(part.w, part.h) >= least && part.area >= 5);
    const clean = map(wide, (_, i) => (label[i] && kept[label[i] - 1] ? 1 : 0));
    return crop(clean, { left: 1, top: 1, right: wide.w - 1, bottom: wide.h - 1 });
  }

  /** Label one connected part of a mask with paper all around, and measure it. */
  function flood(mask, label, start, number) {
    const w = mask.w, step = AROUND.map(([dx, dy]) => dy * w + dx), waiting = [start];
    let left = w, right = 0, top = mask.h, bottom = 0, area = 0;
    label[start] = number;
    while (waiting.length) {
      const at = waiting.pop(), x = at % w, y = (at - x) / w;
      area++;
      if (x < left) left = x;
      if (x > right) right = x;
      if (y < top) top = y;
      if (y > bottom) bottom = y;
      for (let k = 0; k < 8; k++) {
        const to = at + step[k];
        if (mask.data[to] && !label[to]) {
          label[to] = number;
          waiting.push(to);
        }
      }
    }
    return { w: right - left + 1, h: bottom - top + 1, area };
  }

  // ---- from a picture to the frame ---------------------------------------------------------

  /** How much ink is where, 0 to 1, in an ImageData whose commonest grey is its ground. */
  function inkOf(image) {
    const grey = picture(image.width, image.height, Uint8Array), counts = new Uint32Array(256);
    const rgba = image.data;
    for (let i = 0, at = 0; at < rgba.length; i++, at += 4) {
      const value = even(0.299 * rgba[at] + 0.587 * rgba[at + 1] + 0.114 * rgba[at + 2]);
      const alpha = rgba[at + 3] / 255;
      grey.data[i] = alpha === 1 ? value : even(value * alpha + 255 * (1 - alpha)); // on white
      counts[grey.data[i]]++;
    }
    const ground = counts.indexOf(Math.max(...counts));
    const levels = Array.from(counts, (count, value) => [count, value - ground]);
    const mass = (sign) => levels.reduce((sum, [n, d]) => sum + n * Math.max(0, sign * d), 0);
    const sign = mass(1) > mass(-1) ? 1 : -1;
    const peak = Math.max(...levels.map(([count, d]) => (count ? sign * d : 0)));
    if (peak < LEAST_CONTRAST) return picture(grey.w, grey.h);
    return map(grey, (value) => Math.max(0, sign * (value - ground)) / peak);
  }

  /** The 28x28 ink of the digit in an ImageData, Uint8Array of 784, or null if it is blank. */
  function frame(image) {
    const all = inkOf(image);
    const marked = withoutSpecks(map(all, (value) => (value > INK ? 1 : 0)));
    const box = bounds(marked, 0);
    if (!box) return null;
    const ink = crop(all, box), mask = crop(marked, box);
    if (Math.max(ink.w, ink.h) === BODY) {
      return centred(map(ink, (value, i) => even(value * mask.data[i] * 255)));
    }
    return centred(shrunk(normalised(...enlarged(ink, mask))));
  }

  /** Soft ink and its mask at FINE times the final size, with room around. */
  function enlarged(ink, mask) {
    const [w, h, factor] = scaled(ink, FINE * BODY);
    const weights = factor < 1 ? areas : cubics;
    const near = spread(mask, SQUARE);
    const soft = map(ink, (value, i) => even(value * near.data[i] * 255));
    const hard = map(mask, (value) => value * 255);
    return [soft, hard].map((part) => pad(resize(part, w, h, weights), PAD));
  }

  /** Soft ink whose stroke is neither thinner nor thicker than MNIST's. */
  function normalised(soft, hard) {
    const width = strokeWidth(map(hard, (value) => (value > 127 ? 1 : 0))) / FINE;
    const both = map(soft, (value, i) => Math.max(value, hard.data[i]));
    if (width < THIN) {
      return spread(both, disc(Math.max(1, even(((THIN + 0.2 - width) * FINE) / 2))));
    }
    if (width > THICK) {
      return spread(both, disc(Math.max(1, even(((width - THICK) * FINE) / 2))), true);
    }
    return soft;
  }

  /** The digit at its final size, its darkest ink at 255. */
  function shrunk(fine) {
    const cut = crop(fine, bounds(fine, 64) ?? bounds(fine, 0) ?? whole(fine));
    const [w, h] = scaled(cut, BODY);
    const small = resize(cut, w, h, areas);
    const most = Math.max(1, ...small.data);
    return map(small, (value) => byte((value * 255) / most));
  }

  function whole(from) {
    return { left: 0, top: 0, right: from.w, bottom: from.h };
  }

  /** The digit in the middle of the frame, by its mass. */
  function centred(digit) {
    let total = 0, across = 0, down = 0;
    digit.data.forEach((value, i) => {
      total += value;
      across += value * (i % digit.w);
      down += value * Math.floor(i / digit.w);
    });
    const place = (sum, size) =>
      Math.min(SIDE - size, Math.max(0, even(SIDE / 2 - sum / (total || 1))));
    const left = place(across, digit.w), top = place(down, digit.h);
    const ink = new Uint8Array(SIDE * SIDE);
    digit.data.forEach((value, i) => {
      ink[(top + Math.floor(i / digit.w)) * SIDE + left + (i % digit.w)] = value;
    });
    return ink;
  }

  // ---- the model ---------------------------------------------------------------------------

  let model = null, starting = null;

  /** Load the model; all that it needs lies in this folder. */
  function start() {
    starting ??= load();
    return starting;
  }

  async function load() {
    // The runtime is handed its WebAssembly instead of fetching it, which would take a server.
    globalThis.Module = { wasmBinary: await unpacked(LITERT_WASM), printErr: complain };
    await LiteRt.loadLiteRt("data:text/javascript,//.js");
    model = await LiteRt.loadAndCompile(bytes(DIGITLAB.model), { accelerator: "wasm" });
    await logits(new Uint8Array(SIDE * SIDE)); // the first call takes longer
  }

  /** What the runtime says of itself, without its chatter. */
  function complain(line) {
    if (!/^(INFO|WARNING)/.test(line)) console.error(line);
  }

  function bytes(base64) {
    return Uint8Array.from(atob(base64), (char) => char.charCodeAt(0));
  }

  async function unpacked(base64) {
    const stream = new Blob([bytes(base64)]).stream();
    return new Response(stream.pipeThrough(new DecompressionStream("gzip"))).arrayBuffer();
  }

  /** The network's eleven scores for a 28x28 frame of ink, 0 to 255. */
  async function logits(ink) {
    const input = new LiteRt.Tensor(Float32Array.from(ink, (v) => v / 255), [1, SIDE, SIDE, 1]);
    const outputs = await model.run([input]);
    const scores = outputs.map((output) => Float32Array.from(output.toTypedArray()));
    for (const tensor of [input, ...outputs]) tensor.delete();
    return scores.find((values) => values.length === DIGITLAB.sheet.classes.length);
  }

  /** What the scores mean, by the model's calibration. */
  function judged(scores) {
    const { temperature, others, accept, sure, fairly_sure } = DIGITLAB.sheet.calibration;
    const scaled = Array.from(scores, (score, i) => score / temperature + (i === 10 ? others : 0));
    const most = Math.max(...scaled);
    const shares = scaled.map((score) => Math.exp(score - most));
    const digits = shares.slice(0, 10).reduce((sum, share) => sum + share, 0);
    const probabilities = shares.slice(0, 10).map((share) => (digits > 0 ? share / digits : 0.1));
    const isDigit = digits / (digits + shares[10]);
    const ranking = probabilities.map((_, i) => i).sort((a, b) => probabilities[b] - probabilities[a]);
    const [digit, second] = ranking, confidence = probabilities[digit] * isDigit;
    const other = 1 - isDigit > isDigit * probabilities[second] ? "no digit" : second;
    let verdict = isDigit < 0.5 ? REFUSED : `not sure: ${digit} or ${other}?`;
    if (confidence >= Math.max(fairly_sure, accept)) verdict = "fairly sure";
    if (confidence >= sure) verdict = "sure";
    const accepted = confidence >= accept;
    return { digit, confidence, probabilities, isDigit, accepted, verdict };
  }

  /** Read the digit in an ImageData: what `judged` tells and `ink`, or null if it is blank. */
  async function read(image) {
    const ink = frame(image);
    if (!ink) return null;
    await start();
    return { ...judged(await logits(ink)), ink };
  }

  return { start, read, frame, logits, judged, SIDE };
})();
