// What the components of the Feature maps view share: unpacking what the server sent, colours of
// values, and telling each other what is chosen, so that the server need not send a picture again.

/** The header and the bytes of a message; see packed.py. */
function unpack(data) {
    const view = new DataView(data.buffer, data.byteOffset, data.byteLength);
    const end = 4 + view.getUint32(0, true);
    const header = JSON.parse(new TextDecoder().decode(data.subarray(4, end)));
    return { header, bytes: data.subarray(end) };
}

/** Colours at equal distances as [red, green, blue], interpolated to 256. */
function levels(colours) {
    const given = colours.map((c) => [1, 3, 5].map((i) => parseInt(c.slice(i, i + 2), 16)));
    return Array.from({ length: 256 }, (_, i) => {
        const at = (i / 255) * (given.length - 1);
        const left = Math.min(Math.floor(at), given.length - 2);
        return given[left].map((c, k) => Math.round(c + (given[left + 1][k] - c) * (at - left)));
    });
}

/** The value that a code of a channel stands for. */
function valueOf(code, low, high) {
    return low + ((high - low) * code) / 255;
}

/** For each code of a channel the level of its colour. */
function translation(low, high, range) {
    const bottom = range.low ?? low;
    const span = (range.high ?? high) - bottom || 1;
    return Uint8Array.from({ length: 256 }, (_, code) => {
        const share = (valueOf(code, low, high) - bottom) / span;
        return Math.round(255 * Math.min(1, Math.max(0, share)));
    });
}

/** Paint codes on pixels of `image` as squares of `times` pixels, from (left, top). */
function paint(image, codes, width, table, colours, left, top, times) {
    const height = codes.length / width;
    for (let y = 0; y < height * times; y++) {
        const row = Math.floor(y / times) * width;
        let at = 4 * ((top + y) * image.width + left);
        for (let x = 0; x < width * times; x++) {
            const colour = colours[table[codes[row + Math.floor(x / times)]]];
            image.data[at++] = colour[0];
            image.data[at++] = colour[1];
            image.data[at++] = colour[2];
            image.data[at++] = 255;
        }
    }
}

/** A number with three digits and a true minus sign. */
function number(value) {
    const text = Math.abs(value) >= 1e5 ? value.toExponential(2) : String(+value.toPrecision(3));
    return text.replace("-", "−");
}

/** Tell the others what is chosen now, and whoever comes later. */
function announce(what, value) {
    window.cnnlabChosen = { ...window.cnnlabChosen, [what]: value };
    document.dispatchEvent(new CustomEvent(`cnnlab-${what}`, { detail: value }));
}

/** Call `heard` with what is chosen, now and whenever that changes, until `signal` ends it. */
function listen(what, heard, signal) {
    document.addEventListener(`cnnlab-${what}`, (event) => heard(event.detail), { signal });
    if (window.cnnlabChosen?.[what] !== undefined) heard(window.cnnlabChosen[what]);
}

/** The root of a component, a signal that ends what its last drawing listens to, and its end. */
function begin(parent) {
    const root = parent.querySelector(".root");
    root.listening?.abort();
    const listening = new AbortController();
    root.listening = listening;
    return { root, signal: listening.signal, end: () => listening.abort() };
}

/** Lay a box over a part of its parent, all in shares of that. */
function put(box, left, top, width, height) {
    Object.assign(box.style, {
        left: `${100 * left}%`,
        top: `${100 * top}%`,
        width: `${100 * width}%`,
        height: `${100 * height}%`,
    });
    box.hidden = false;
}
