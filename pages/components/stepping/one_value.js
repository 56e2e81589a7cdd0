// One value taken apart, and the steps to its neighbours.
const SIDE = 140, NUMBERS_UP_TO = 7, TERMS_UP_TO = 30;
const BELOW = [42, 127, 212], ABOVE = [224, 138, 0];

function floats(text) {
  const bytes = Uint8Array.from(atob(text), (character) => character.charCodeAt(0));
  return new Float32Array(bytes.buffer);
}

function colour(value, largest, strongest = 0.6) {
  const [red, green, blue] = value < 0 ? BELOW : ABOVE;
  const share = largest > 0 ? Math.min(1, Math.abs(value) / largest) : 0;
  return `rgba(${red}, ${green}, ${blue}, ${share * strongest})`;
}

const largestOf = (values) => values.reduce((most, value) => Math.max(most, Math.abs(value)), 0);

// A small map of values, negative ones blue, positive ones orange.
function grid(title, values, columns, { largest, beside, chosen } = {}) {
  const made = element("div", columns > NUMBERS_UP_TO ? "grid small" : "grid");
  made.style.gridTemplateColumns = `repeat(${columns}, max-content)`;
  const rows = values.length / columns;
  const [low, high] = [Math.min(...values), Math.max(...values)];
  made.setAttribute("role", "img");
  made.setAttribute(
    "aria-label",
    `${title}: ${rows} by ${columns} values from ${number(low)} to ${number(high)}`,
  );
  const most = largest ?? largestOf(values);
  values.forEach((value, i) => {
    const cell = element("div", "cell", columns > NUMBERS_UP_TO ? "" : number(value));
    cell.style.background = colour(value, most);
    cell.title = number(value);
    if (beside?.[i]) cell.classList.add("beside");
    if (chosen === i) cell.classList.add("chosen");
    made.append(cell);
  });
  return made;
}

function drawn(values, height, width, mark) {
  const canvas = element("canvas", "map");
  const scale = Math.max(1, Math.floor((2 * SIDE) / Math.max(height, width)));
  canvas.width = width * scale;
  canvas.height = height * scale;
  const pen = canvas.getContext("2d"), most = largestOf(values);
  values.forEach((value, i) => {
    pen.fillStyle = colour(value, most, 1);
    pen.fillRect((i % width) * scale, Math.floor(i / width) * scale, scale, scale);
  });
  if (mark) {
    const [top, left, high, wide] = mark.map((side) => side * scale);
    for (const [thick, shade] of [[6, "#000"], [3, "#fff"]]) {
      pen.lineWidth = thick;
      pen.strokeStyle = shade;
      pen.strokeRect(left, top, wide, high);
    }
  }
  return canvas;
}

// What the value in a row and a column of the output reads of a source.
function patch(data, source, row, column) {
  const values = [], beside = [];
  for (const y of data.rows[row])
    for (const x of data.columns[column]) {
      beside.push(y < 0 || x < 0);
      values.push(y < 0 || x < 0 ? 0 : source.numbers[y * source.width + x]);
    }
  return { values, beside, wide: data.columns[column].length };
}

const added = (values) => values.reduce((sum, value) => sum + value, 0);
const sumOf = (values) => values.map(inside).join(" + ");
const plural = (count, word) => `${count} ${word}${count === 1 ? "" : "s"}`;

const KINDS = {
  sum(data, at, terms) {
    const parts = data.sources.map((source) => {
      const { values, beside, wide } = patch(data, source, ...at);
      const products = values.map((value, i) => value * source.weights[i]);
      const total = added(products);
      terms.append(
        term(`Input channel ${source.channel}: values × kernel = products, ${number(total)} together`, [
          grid("Values", values, wide, { beside }), "×",
          grid("Kernel", [...source.weights], wide), "=",
          grid("Products", products, wide),
        ]),
      );
      return { total, values, weights: source.weights };
    });
    const rest = data.rest ? data.rest[at[0] * data.width + at[1]] : 0;
    const pieces = parts.map((part) => inside(part.total));
    if (data.others) pieces.push(`${inside(rest)} <small>(${plural(data.others, "other channel")})</small>`);
    if (data.has_bias) pieces.push(`${inside(data.bias)} <small>(bias)</small>`);
    const written = parts[0].values.length <= TERMS_UP_TO && parts.length === 1 && !data.others
      ? `${parts[0].values.map((value, i) => `${inside(value)} · ${inside(parts[0].weights[i])}`).join(" + ")}`
        + `${data.has_bias ? ` + ${inside(data.bias)} <small>(bias)</small>` : ""} = `
      : "";
    const total = added(parts.map((part) => part.total)) + rest + data.bias;
    return `${written}${pieces.length > 1 || !written ? `${pieces.join(" + ")} = ` : ""}<b>${number(total)}</b>`;
  },
  average(data, at, terms) {
    const { values, beside, wide } = patch(data, data.sources[0], ...at);
    const count = data.counts[at[0] * data.width + at[1]], total = added(values);
    terms.append(term("The values of the window", [grid("Values", values, wide, { beside })]));
    const sum = values.length <= TERMS_UP_TO ? `(${sumOf(values)})` : number(total);
    return `${sum} / ${count} = <b>${number(total / count)}</b>`;
  },
  maximum(data, at, terms) {
    const { values, beside, wide } = patch(data, data.sources[0], ...at);
    const best = Math.max(...values.filter((_, i) => !beside[i]));
    const chosen = values.findIndex((value, i) => value === best && !beside[i]);
    terms.append(term("The values of the window", [grid("Values", values, wide, { beside, chosen })]));
    const kept = values.filter((_, i) => !beside[i]);
    const list = kept.length <= TERMS_UP_TO ? kept.map(number).join(", ") : plural(kept.length, "value");
    return `max(${list}) = <b>${number(best)}</b>`;
  },
  activation(data, at) {
    const x = patch(data, data.sources[0], ...at).values[0], y = data.output[at[0] * data.width + at[1]];
    const forms = {
      relu: `max(0, ${number(x)})`,
      sigmoid: `1 / (1 + e<sup>${number(-x)}</sup>)`,
      tanh: `tanh(${number(x)})`,
      leaky_relu: x > 0 ? `${number(x)}, which is above zero,` : `${data.slope} · ${inside(x)}`,
      gelu: `${number(x)} · Φ(${number(x)}) = ${number(x)} · ${number(x ? y / x : 0.5)}`,
    };
    return `${forms[data.function]} = <b>${number(y)}</b>`;
  },
  normalization(data, at) {
    const x = patch(data, data.sources[0], ...at).values[0];
    const y = (data.gamma * (x - data.mean)) / data.deviation + data.beta;
    return `γ · (x − μ) / σ + β = ${inside(data.gamma)} · (${number(x)} − ${inside(data.mean)}) / `
      + `${number(data.deviation)} + ${inside(data.beta)} = <b>${number(y)}</b>`;
  },
  dropout(data, at) {
    const x = patch(data, data.sources[0], ...at).values[0], kept = x / (1 - data.p);
    return `Prediction passes the value on: <b>${number(x)}</b>. Training sets it to 0 with probability `
      + `${data.p}, and otherwise makes it ${number(x)} / (1 − ${data.p}) = ${number(kept)}: on average `
      + `${number(kept * (1 - data.p))}.`;
  },
  combined(data, at) {
    const values = data.sources.map((source) => patch(data, source, ...at).values[0]);
    const result = data.operation === "mul" ? values.reduce((a, b) => a * b, 1) : added(values);
    const terms = values.map((value, i) => `${inside(value)} <small>(${data.names[i]})</small>`);
    return `${terms.join(data.operation === "mul" ? " · " : " + ")} = <b>${number(result)}</b>`;
  },
  joined(data, at) {
    const x = patch(data, data.sources[0], ...at).values[0];
    return `Channel ${data.sources[0].channel} of ${data.names[data.part - 1]}, which is input ${data.part} of `
      + `${data.sizes.length} (${data.sizes.join(" + ")} channels, one after the other): <b>${number(x)}</b>. `
      + "Nothing is computed.";
  },
};

function term(title, pieces) {
  const made = element("div", "term");
  made.append(element("div", "name", title));
  for (const piece of pieces) made.append(typeof piece === "string" ? element("span", "sign", piece) : piece);
  return made;
}

// The part of a source that the value reads: row, column, height, width.
function frame(data, [row, column]) {
  const spans = [data.rows[row], data.columns[column]].map((places) => places.filter((place) => place >= 0));
  if (!spans[0].length || !spans[1].length) return null;
  const [top, left] = spans.map((places) => Math.min(...places));
  const [bottom, right] = spans.map((places) => Math.max(...places));
  return [top, left, bottom - top + 1, right - left + 1];
}

function draw(root, data, at, choose) {
  const terms = root.querySelector(".terms"), maps = root.querySelector(".maps");
  const [row, column] = [at[0] + data.top, at[1] + data.left];
  terms.replaceChildren();
  root.querySelector(".formula").innerHTML = KINDS[data.kind](data, at, terms);
  root.querySelector(".at").textContent = `row ${row}, column ${column}`;
  const inputs = data.sources.map((source, i) =>
    figure(
      drawn(source.numbers, source.height, source.width, frame(data, at)),
      data.kind === "combined" ? `Input ${i + 1}: ${data.names[i]}` : `Input channel ${source.channel}`,
    ));
  const output = drawn(data.output, data.height, data.width, [...at, 1, 1]);
  output.classList.add("output");
  output.onclick = (event) => choose(hit(event, data.height, data.width));
  maps.replaceChildren(...inputs, figure(output, `Output: row ${row}, column ${column} marked`));
}

function decoded(data) {
  return {
    ...data,
    output: floats(data.output),
    rest: data.rest && floats(data.rest),
    counts: data.counts && floats(data.counts),
    sources: data.sources.map((source) => ({
      ...source,
      numbers: floats(source.values),
      weights: source.kernel && floats(source.kernel),
    })),
  };
}

export default function ({ data: sent, parentElement }) {
  const data = decoded(sent);
  return stepping(parentElement, {
    ...data,
    draw: (root, at, choose) => draw(root, data, at, choose),
  });
}
