// A window that walks over a small picture. The padding is drawn about it, and the rows and columns
// that no window reads are crossed out.
const INPUT_PX = 330, OUTPUT_PX = 190, KERNEL_PX = 120, LARGEST_CELL_PX = 40, TERMS_UP_TO = 30, NUMBER_FROM_PX = 15;
const WINDOW = "rgba(224, 138, 0, 0.45)", CHOSEN = "rgba(42, 127, 212, 0.55)";
const UNSEEN = "rgba(200, 30, 60, 0.85)";

function cells(side, wanted) {
  const canvas = element("canvas"), cell = Math.ceil((2 * wanted) / side);
  canvas.width = canvas.height = side * cell;
  canvas.style.width = `${Math.min(wanted, side * LARGEST_CELL_PX)}px`;
  return { canvas, cell, pen: canvas.getContext("2d") };
}

function written(pen, cell, row, column, text, colour) {
  if (cell < 2 * NUMBER_FROM_PX) return;
  pen.fillStyle = colour;
  pen.font = `${Math.floor(cell * 0.45)}px sans-serif`;
  pen.textAlign = "center";
  pen.textBaseline = "middle";
  pen.fillText(text, (column + 0.5) * cell, (row + 0.5) * cell);
}

function lines(pen, cell, side, colour) {
  if (cell < 8) return;
  pen.strokeStyle = colour;
  pen.lineWidth = 1;
  for (let i = 0; i <= side; i += 1) {
    pen.strokeRect(i * cell, 0, 0, side * cell);
    pen.strokeRect(0, i * cell, side * cell, 0);
  }
}

function picture(data, [row, column], colours) {
  const side = data.size + 2 * data.padding, { canvas, cell, pen } = cells(side, INPUT_PX);
  const fill = (r, c, high, wide) => pen.fillRect(c * cell, r * cell, wide * cell, high * cell);
  pen.fillStyle = colours.padding;
  fill(0, 0, side, side);
  pen.clearRect(data.padding * cell, data.padding * cell, data.size * cell, data.size * cell);
  pen.fillStyle = WINDOW;
  for (const r of data.taps[row]) for (const c of data.taps[column]) fill(r + data.padding, c + data.padding, 1, 1);
  lines(pen, cell, side, colours.border);
  for (let r = 0; r < side; r += 1)
    for (let c = 0; c < side && data.picture; c += 1) {
      const value = data.picture[r - data.padding]?.[c - data.padding];
      written(pen, cell, r, c, String(value ?? 0), value === undefined ? colours.faint : colours.text);
    }
  pen.strokeStyle = UNSEEN;
  pen.lineWidth = Math.max(2, cell / 10);
  data.visited.forEach((seen, i) => {
    if (seen) return;
    const middle = (i + data.padding + 0.5) * cell, [from, to] = [data.padding * cell, (data.padding + data.size) * cell];
    pen.strokeRect(from, middle, to - from, 0);
    pen.strokeRect(middle, from, 0, to - from);
  });
  return canvas;
}

function output(data, [row, column], colours) {
  const { canvas, cell, pen } = cells(data.height, OUTPUT_PX);
  pen.fillStyle = CHOSEN;
  pen.fillRect(column * cell, row * cell, cell, cell);
  lines(pen, cell, data.height, colours.border);
  data.values?.forEach((values, r) =>
    values.forEach((value, c) => written(pen, cell, r, c, plain(value), colours.text)));
  canvas.className = "output";
  return canvas;
}

function kernel(data, colours) {
  const { canvas, cell, pen } = cells(data.kernel.length, KERNEL_PX);
  lines(pen, cell, data.kernel.length, colours.border);
  data.kernel.forEach((values, r) =>
    values.forEach((value, c) => written(pen, cell, r, c, plain(value), colours.text)));
  return canvas;
}

const plain = (value) => String(value).replace("-", "−");
const whole = (value) => (value < 0 ? `(−${-value})` : String(value));

function arithmetic(data, [row, column]) {
  const [rows, columns] = [data.taps[row], data.taps[column]];
  if (!data.picture)
    return `The window reads rows ${plain(rows[0])} to ${rows.at(-1)} and columns ${plain(columns[0])} to `
      + `${columns.at(-1)}.`;
  const terms = [], products = [];
  rows.forEach((r, i) =>
    columns.forEach((c, j) => {
      const value = data.picture[r]?.[c] ?? 0, weight = data.kernel[i][j];
      products.push(value * weight);
      terms.push(`${value} · ${whole(weight)}`);
    }));
  const sum = products.reduce((a, b) => a + b, 0), result = plain(sum);
  const written = terms.length <= TERMS_UP_TO ? terms.join(" + ") : `${terms.length} products, added up`;
  return `${written} = <b>${result}</b>`;
}

export default function ({ data, parentElement }) {
  const style = getComputedStyle(parentElement.querySelector(".steps"));
  const colours = {
    text: style.color,
    faint: "rgba(128, 128, 128, 0.9)",
    border: "rgba(128, 128, 128, 0.6)",
    padding: "rgba(128, 128, 128, 0.18)",
  };
  const draw = (root, at, choose) => {
    const [row, column] = at;
    root.querySelector(".at").textContent = `row ${row}, column ${column}`;
    root.querySelector(".formula").innerHTML = arithmetic(data, at);
    const result = output(data, at, colours);
    result.onclick = (event) => choose(hit(event, data.height, data.width));
    root.querySelector(".maps").replaceChildren(
      figure(picture(data, at, colours), data.words),
      ...(data.kernel ? [figure(kernel(data, colours), "Kernel")] : []),
      figure(result, `Output, ${data.height} × ${data.width}: row ${row}, column ${column}`),
    );
  };
  return stepping(parentElement, { ...data, start: data.start ?? [0, 0], draw });
}
