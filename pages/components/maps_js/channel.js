// One channel, enlarged. Pointing reads a value; a click or Enter takes it, for its arithmetic.

const SIDE_PX = 448;

export default function ({ data, parentElement, setTriggerValue }) {
    const { root, end } = begin(parentElement);
    const { header, bytes } = unpack(data);
    const { rows, columns, low, high } = header;
    const [board, canvas, readout, chosenBox, cursorBox] = [
        ".board", "canvas", ".readout", ".chosen", ".cursor",
    ].map((selector) => root.querySelector(selector));
    const times = Math.max(1, Math.floor(SIDE_PX / Math.max(rows, columns)));
    canvas.width = columns * times;
    canvas.height = rows * times;
    const image = new ImageData(canvas.width, canvas.height);
    const table = translation(low, high, header.range);
    paint(image, bytes, columns, table, levels(header.colours), 0, 0, times);
    canvas.getContext("2d").putImageData(image, 0, 0);
    canvas.setAttribute("aria-label", header.alt);
    board.setAttribute("aria-label", header.keys);
    let cursor = header.chosen ?? [Math.floor(rows / 2), Math.floor(columns / 2)];
    cursorBox.hidden = true;
    chosenBox.hidden = true;
    if (header.chosen) frame(chosenBox, header.chosen);
    readout.textContent = header.hint;

    function frame(box, [row, column]) {
        put(box, column / columns, row / rows, 1 / columns, 1 / rows);
    }

    function words([row, column]) {
        const value = valueOf(bytes[row * columns + column], low, high);
        return `Row ${row}, column ${column}: ${number(value)}`;
    }

    function under(event) {
        const area = canvas.getBoundingClientRect();
        const column = Math.floor(((event.clientX - area.left) / area.width) * columns);
        const row = Math.floor(((event.clientY - area.top) / area.height) * rows);
        return row >= 0 && row < rows && column >= 0 && column < columns ? [row, column] : null;
    }

    function take(at) {
        cursor = at;
        frame(chosenBox, at);
        setTriggerValue("picked", at);
    }

    board.onpointermove = (event) => {
        const at = under(event);
        if (at) readout.textContent = words(at);
    };
    board.onpointerleave = () => (readout.textContent = header.hint);
    board.onclick = (event) => {
        const at = under(event);
        if (at) take(at);
    };
    board.onfocus = () => board.matches(":focus-visible") && frame(cursorBox, cursor);
    board.onblur = () => (cursorBox.hidden = true);
    board.onkeydown = (event) => {
        const [row, column] = cursor;
        const moves = {
            ArrowRight: [row, column + 1], ArrowLeft: [row, column - 1],
            ArrowDown: [row + 1, column], ArrowUp: [row - 1, column],
        };
        if (event.key in moves) {
            event.preventDefault();
            cursor = [
                Math.min(rows - 1, Math.max(0, moves[event.key][0])),
                Math.min(columns - 1, Math.max(0, moves[event.key][1])),
            ];
            frame(cursorBox, cursor);
            readout.textContent = words(cursor);
        } else if (event.key === "Enter" || event.key === " ") {
            event.preventDefault();
            take(cursor);
        }
    };
    announce("channel", header.channel);
    return end;
}
