// All channels of a layer. Pointing reads a value, a click or Enter opens a channel.

const GAP = 2;

export default function ({ data, parentElement, setTriggerValue }) {
    const { root, signal, end } = begin(parentElement);
    const { header, bytes } = unpack(data);
    const { channels, columns, width, height, times } = header;
    const [board, canvas, readout, option, chosenBox, cursorBox] = [
        ".board", "canvas", ".readout", ".option", ".chosen", ".cursor",
    ].map((selector) => root.querySelector(selector));
    const stepX = width * times + GAP;
    const stepY = height * times + GAP;
    const rows = Math.ceil(channels.length / columns);
    canvas.width = columns * stepX - GAP;
    canvas.height = rows * stepY - GAP;
    board.setAttribute("aria-label", header.alt);
    board.setAttribute("aria-activedescendant", "current");
    draw();
    let cursor = 0;
    cursorBox.hidden = true;
    readout.textContent = header.hint;

    function codesOf(place) {
        return bytes.subarray(place * width * height, (place + 1) * width * height);
    }

    function draw() {
        const context = canvas.getContext("2d");
        const image = new ImageData(canvas.width, canvas.height);
        const colours = levels(header.colours);
        channels.forEach((one, place) => {
            const table = translation(one.low, one.high, header.range);
            const left = (place % columns) * stepX;
            const top = Math.floor(place / columns) * stepY;
            paint(image, codesOf(place), width, table, colours, left, top, times);
        });
        context.putImageData(image, 0, 0);
        channels.forEach((one, place) => one.constant && crossOut(context, place));
    }

    /** The same everywhere: an outline and a diagonal, so that it is told from a faint pattern. */
    function crossOut(context, place) {
        const left = (place % columns) * stepX + 0.5;
        const top = Math.floor(place / columns) * stepY + 0.5;
        context.strokeStyle = "#a0a0a0";
        context.strokeRect(left, top, stepX - GAP - 1, stepY - GAP - 1);
        context.beginPath();
        context.moveTo(left, top);
        context.lineTo(left + stepX - GAP - 1, top + stepY - GAP - 1);
        context.stroke();
    }

    function frame(box, place) {
        const left = (place % columns) * stepX;
        const top = Math.floor(place / columns) * stepY;
        const [w, h] = [canvas.width, canvas.height];
        put(box, left / w, top / h, (stepX - GAP) / w, (stepY - GAP) / h);
    }

    function words(place) {
        const one = channels[place];
        const name = one.name ? `, ${one.name}` : "";
        if (one.constant) return `Channel ${one.id}${name}: ${number(one.low)} everywhere`;
        return `Channel ${one.id}${name}: from ${number(one.low)} to ${number(one.high)}`;
    }

    /** Which channel lies under the pointer, and which of its values. */
    function under(event) {
        const area = canvas.getBoundingClientRect();
        const x = Math.floor(((event.clientX - area.left) / area.width) * canvas.width);
        const y = Math.floor(((event.clientY - area.top) / area.height) * canvas.height);
        const place = Math.floor(y / stepY) * columns + Math.floor(x / stepX);
        const column = Math.floor((x % stepX) / times);
        const row = Math.floor((y % stepY) / times);
        const inside = x >= 0 && y >= 0 && column < width && row < height;
        return inside && place < channels.length ? { place, row, column } : null;
    }

    function open(place) {
        move(place);
        frame(chosenBox, place);
        setTriggerValue("picked", channels[place].id);
    }

    function move(place) {
        cursor = place;
        option.textContent = words(place);
        readout.textContent = words(place);
    }

    board.onpointermove = (event) => {
        const found = under(event);
        if (!found) return;
        const one = channels[found.place];
        const code = codesOf(found.place)[found.row * width + found.column];
        const value = number(valueOf(code, one.low, one.high));
        const about = header.reduced ? "≈ " : "";
        const at = (place, shown, whole) => Math.floor(((place + 0.5) * whole) / shown);
        const row = at(found.row, height, header.rows);
        const column = at(found.column, width, header.columns_of_map);
        readout.textContent =
            `${words(found.place)}. Row ${row}, column ${column}: ${about}${value}`;
    };
    board.onpointerleave = () => (readout.textContent = header.hint);
    board.onclick = (event) => {
        const found = under(event);
        if (found) open(found.place);
    };
    board.onfocus = () => {
        if (!board.matches(":focus-visible")) return;
        move(cursor);
        frame(cursorBox, cursor);
    };
    board.onblur = () => (cursorBox.hidden = true);
    board.onkeydown = (event) => {
        const last = channels.length - 1;
        const moves = {
            ArrowRight: cursor + 1, ArrowLeft: cursor - 1,
            ArrowDown: cursor + columns, ArrowUp: cursor - columns, Home: 0, End: last,
        };
        if (event.key in moves) {
            event.preventDefault();
            const wanted = moves[event.key];
            if (wanted >= 0 && wanted <= last) move(wanted);
            frame(cursorBox, cursor);
        } else if (event.key === "Enter" || event.key === " ") {
            event.preventDefault();
            open(cursor);
        }
    };
    announce("layer", header.layer);
    listen(
        "channel",
        (id) => {
            const place = channels.findIndex((one) => one.id === id);
            if (place < 0) return;
            cursor = place;
            option.textContent = words(place);
            frame(chosenBox, place);
        },
        signal,
    );
    return end;
}
