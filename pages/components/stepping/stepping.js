// Steps over the places of a map: buttons, arrow keys, playing, a click. Nothing is asked of the
// server meanwhile: all numbers are there from the start.
const STEP_MS = 500;

function number(value) {
  if (value === 0) return "0";
  const size = Math.abs(value);
  if (!Number.isFinite(value)) return String(value);
  const text = size >= 1000 || size < 0.001 ? value.toExponential(1) : value.toFixed(size < 100 ? 3 : 1);
  return text.replace(/-/g, "−");
}

const inside = (value) => (value < 0 ? `(${number(value)})` : number(value));

function element(tag, className, text) {
  const made = document.createElement(tag);
  if (className) made.className = className;
  if (text !== undefined) made.textContent = text;
  return made;
}

function figure(canvas, words) {
  const made = element("figure");
  canvas.setAttribute("role", "img");
  canvas.setAttribute("aria-label", words);
  made.append(canvas, element("figcaption", "", words));
  return made;
}

// `draw(root, at, choose)` draws a place, a row and a column; `choose` goes to another one.
function stepping(parentElement, { title, height, width, start, draw }) {
  const root = parentElement.querySelector(".steps"), play = root.querySelector("[data-play]");
  let at = start, timer = null;
  root.setAttribute("aria-label", title);
  root.querySelector(".controls").hidden = height * width === 1;
  const choose = ([row, column]) => {
    at = [Math.min(height - 1, Math.max(0, row)), Math.min(width - 1, Math.max(0, column))];
    draw(root, at, choose);
  };
  const stop = () => {
    clearInterval(timer);
    timer = null;
    play.textContent = "Play";
  };
  // Row by row, and from the last value to the first.
  const onward = () => {
    const next = (at[0] * width + at[1] + 1) % (height * width);
    choose([Math.floor(next / width), next % width]);
  };
  play.onclick = () => {
    if (timer) return stop();
    timer = setInterval(onward, STEP_MS);
    play.textContent = "Stop";
  };
  const move = (rows, columns) => {
    stop();
    choose([at[0] + rows, at[1] + columns]);
  };
  for (const button of root.querySelectorAll("[data-move]"))
    button.onclick = () => move(...button.dataset.move.split(",").map(Number));
  const keys = { ArrowLeft: [0, -1], ArrowRight: [0, 1], ArrowUp: [-1, 0], ArrowDown: [1, 0] };
  root.onkeydown = (event) => {
    if (keys[event.key]) move(...keys[event.key]);
    else if (event.key === " " && event.target === root) play.click();
    else return;
    event.preventDefault();
  };
  stop();
  choose(at);
  return stop;
}

// Which cell of a canvas a click hit.
function hit(event, height, width) {
  const box = event.target.getBoundingClientRect();
  return [
    Math.floor(((event.clientY - box.top) / box.height) * height),
    Math.floor(((event.clientX - box.left) / box.width) * width),
  ];
}
