// A training run played back: all frames were sent at once, so that going through them asks the
// server nothing. While the run goes on there is one frame, the newest. What it unpacks and colours
// with is in maps_js/drawing.js.

const FRAME_MS = 160;
const GAP = 4;
// About so wide is a tile of a layer, a layer without height and width, and a kernel.
const TILE_PX = 72;
const UNITS_PX = 320;
const KERNEL_PX = 40;

export default function ({ data, parentElement }) {
    const root = parentElement.querySelector(".playback");
    const { header, bytes } = unpack(data);
    const palettes = Object.fromEntries(
        Object.entries(header.palettes).map(([name, colours]) => [name, levels(colours)]),
    );
    const find = (selector) => root.querySelector(selector);
    const [play, slider, where] = [find(".play"), find(".step"), find(".where")];
    const last = header.steps.length - 1;
    // Drawn anew with the same run, it stays where the reader left it.
    if (header.live || root.live || root.run !== header.id) {
        root.at = last;
        stop();
    }
    root.run = header.id;
    root.live = header.live;
    root.at = Math.min(root.at, last);
    root.classList.toggle("live", header.live);
    root.setAttribute("aria-label", header.title);
    slider.max = last;
    const boards = header.layers.map(board);
    find(".layers").replaceChildren(...boards.map((one) => one.figure));
    const kernels = header.kernels;
    find(".kernels").hidden = !kernels;
    drawSeen();
    drawLines();
    if (kernels) {
        drawTiles(find(".before canvas"), kernels, 0, kernelColumns(), KERNEL_PX);
        label(".before", `${kernels.title} after step ${header.steps[kernels.frames[0]]}`);
    }
    show(root.at);

    /** Everything as it was at one of the steps. */
    function show(at) {
        root.at = at;
        slider.value = at;
        const step = header.steps[at].toLocaleString("en");
        const shares = header.scores[at];
        const best = shares.indexOf(Math.max(...shares));
        where.textContent = `step ${step} of ${header.end.toLocaleString("en")}`;
        slider.setAttribute("aria-valuetext", `step ${step}: ${header.names[best]} ${percent(shares[best])}`);
        drawBars(shares, best);
        const cursor = find(".lines line");
        cursor.setAttribute("x1", across(at));
        cursor.setAttribute("x2", across(at));
        boards.forEach((one) => one.show(at));
        if (kernels) {
            const place = frameOf(kernels, at);
            drawTiles(find(".now canvas"), kernels, place, kernelColumns(), KERNEL_PX);
            label(".now", `${kernels.title} after step ${header.steps[kernels.frames[place]]}`);
        }
    }

    function drawSeen() {
        const canvas = find(".seen canvas");
        const { side, colours, offset } = header.seen;
        canvas.width = canvas.height = side;
        const image = new ImageData(side, side);
        for (let i = 0; i < side * side; i++) {
            for (let c = 0; c < 3; c++) {
                image.data[4 * i + c] = bytes[offset + i * colours + (colours === 3 ? c : 0)];
            }
            image.data[4 * i + 3] = 255;
        }
        canvas.getContext("2d").putImageData(image, 0, 0);
        label(".seen", header.seen.title);
    }

    function drawBars(shares, best) {
        const cells = shares.flatMap((share, i) => {
            const [name, track, bar, value] = ["span", "div", "div", "span"].map((tag) => document.createElement(tag));
            name.textContent = header.names[i];
            track.className = "track";
            bar.className = "bar";
            bar.style.width = percent(share);
            bar.style.background = header.colours[i];
            track.append(bar);
            value.textContent = percent(share);
            value.className = i === best ? "share first" : "share";
            name.className = i === best ? "first" : "";
            return [name, track, value];
        });
        find(".bars").replaceChildren(...cells);
        const words = header.names.map((name, i) => `${name} ${percent(shares[i])}`).join(", ");
        find(".bars").setAttribute("aria-label", `Class scores: ${words}`);
    }

    function drawLines() {
        const svg = find(".lines svg");
        const lines = header.names.map((_, i) => {
            const line = made("polyline");
            const points = header.scores.map((shares, at) => `${across(at)},${100 - 100 * shares[i]}`);
            line.setAttribute("points", points.join(" "));
            line.style.stroke = header.colours[i];
            if (header.dashed[i]) line.style.strokeDasharray = "5 3";
            return line;
        });
        const cursor = made("line");
        cursor.setAttribute("y1", 0);
        cursor.setAttribute("y2", 100);
        svg.replaceChildren(...lines, cursor);
        svg.setAttribute("aria-label", header.lines);
        const [from, to] = ["step 1", `step ${header.end.toLocaleString("en")}`].map((text) => {
            const word = document.createElement("span");
            word.textContent = text;
            return word;
        });
        find(".lines figcaption").replaceChildren(from, "share of each class, 0 to 100%", to);
    }

    function made(tag) {
        return document.createElementNS("http://www.w3.org/2000/svg", tag);
    }

    function across(at) {
        return (100 * (header.steps[at] - 1)) / Math.max(1, header.end - 1);
    }

    /** The tiles of a layer side by side, and what they are. */
    function board(layer) {
        const [figure, canvas, caption] = ["figure", "canvas", "figcaption"].map((tag) => document.createElement(tag));
        canvas.setAttribute("role", "img");
        figure.append(canvas, caption);
        const draw = (at) => {
            const place = frameOf(layer, at);
            drawTiles(canvas, layer, place, layer.tiles, layer.units ? UNITS_PX : TILE_PX);
            const words = `${layer.title}; colours from ${layer.low[place]} to ${layer.high[place]}`;
            caption.textContent = words;
            canvas.setAttribute("aria-label", words);
        };
        return { figure, show: draw };
    }

    function kernelColumns() {
        return Math.min(8, kernels.tiles);
    }

    /** The newest frame of a strip that is not later than a step. */
    function frameOf(strip, at) {
        return Math.max(0, strip.frames.findLastIndex((frame) => frame <= at));
    }

    /** Tiles row by row, each of their values a square of whole pixels. */
    function drawTiles(canvas, strip, place, columns, px) {
        const { tiles, height, width } = strip;
        const times = Math.max(1, Math.round(px / Math.max(width, height)));
        const [stepX, stepY] = [width * times + GAP, height * times + GAP];
        canvas.width = columns * stepX - GAP;
        canvas.height = Math.ceil(tiles / columns) * stepY - GAP;
        const context = canvas.getContext("2d");
        context.imageSmoothingEnabled = false;
        const pile = piled(strip, place);
        for (let tile = 0; tile < tiles; tile++) {
            const left = (tile % columns) * stepX;
            const top = Math.floor(tile / columns) * stepY;
            const target = [left, top, width * times, height * times];
            context.drawImage(pile, 0, tile * height, width, height, ...target);
        }
    }

    /** The tiles of one frame below each other, a pixel for each value. */
    function piled({ tiles, height, width, colours, palette, offset }, place) {
        const image = new ImageData(width, tiles * height);
        const count = width * tiles * height;
        const from = offset + place * count * colours;
        for (let i = 0; i < count; i++) {
            const at = from + i * colours;
            image.data.set(colours === 3 ? bytes.subarray(at, at + 3) : palettes[palette][bytes[at]], 4 * i);
            image.data[4 * i + 3] = 255;
        }
        const canvas = document.createElement("canvas");
        [canvas.width, canvas.height] = [width, tiles * height];
        canvas.getContext("2d").putImageData(image, 0, 0);
        return canvas;
    }

    function label(selector, words) {
        find(`${selector} figcaption`).textContent = words;
        find(`${selector} canvas`).setAttribute("aria-label", words);
    }

    function stop() {
        clearInterval(root.timer);
        root.timer = null;
        root.classList.remove("playing");
        play.querySelector(".word").textContent = "Play";
    }

    function start() {
        if (root.at === last) show(0);
        root.classList.add("playing");
        play.querySelector(".word").textContent = "Stop";
        root.timer = setInterval(() => {
            if (!root.isConnected || root.at >= last) stop();
            else root.show(root.at + 1);
        }, FRAME_MS);
    }

    root.show = show;
    play.onclick = () => (root.timer ? stop() : start());
    slider.oninput = () => {
        stop();
        show(Number(slider.value));
    };
    root.onkeydown = (event) => {
        // On the button the browser does the same.
        if (event.key !== " " || event.target === play) return;
        event.preventDefault();
        play.click();
    };
}

/** A share as a reader says it. */
function percent(share) {
    return `${Math.round(100 * share)}%`;
}
