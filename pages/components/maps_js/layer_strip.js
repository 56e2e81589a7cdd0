// The layers in running order as thumbnails; a click or Enter on one opens it.

export default function ({ data, parentElement, setTriggerValue }) {
    const { root, signal, end } = begin(parentElement);
    const { header, bytes } = unpack(data);
    const colours = levels(header.colours);
    const plain = Uint8Array.from({ length: 256 }, (_, i) => i);
    const strip = root.querySelector(".strip");
    const hadFocus = strip.contains(parentElement.activeElement);
    strip.setAttribute("aria-label", header.alt);
    let at = 0;
    const tiles = header.layers.map((layer, place) => {
        const codes = bytes.subarray(at, (at += layer.width * layer.height));
        return tile(layer, codes, place);
    });
    strip.replaceChildren(...tiles);
    let chosen = 0;

    function tile(layer, codes, place) {
        const made = document.createElement("div");
        made.className = "tile";
        made.setAttribute("role", "option");
        made.setAttribute("aria-label", `${layer.name}: ${layer.words}`);
        made.title = `${layer.name}: ${layer.words}`;
        const canvas = document.createElement("canvas");
        canvas.width = layer.width;
        canvas.height = layer.height;
        canvas.style.width = `${layer.px}px`;
        canvas.style.setProperty("--sheets", layer.sheets);
        canvas.style.boxShadow = sheets(layer.sheets);
        const image = new ImageData(layer.width, layer.height);
        paint(image, codes, layer.width, plain, colours, 0, 0, 1);
        canvas.getContext("2d").putImageData(image, 0, 0);
        const picture = document.createElement("div");
        picture.className = "picture";
        picture.append(canvas);
        const name = document.createElement("span");
        name.className = "name";
        name.textContent = layer.short;
        const shape = document.createElement("span");
        shape.className = "shape";
        shape.textContent = layer.shape;
        made.append(picture, name, shape);
        made.onclick = () => open(place);
        return made;
    }

    /** More channels are a thicker pile of sheets behind the first. */
    function sheets(count) {
        const edge = "var(--st-background-color)";
        const sheet = "color-mix(in srgb, var(--st-text-color) 45%, var(--st-background-color))";
        return Array.from({ length: count }, (_, i) => {
            const d = 3 * i;
            return `${d + 1}px ${-d - 1}px 0 ${edge}, ${d + 3}px ${-d - 3}px 0 -0.5px ${sheet}`;
        }).join(", ");
    }

    function mark(place) {
        chosen = place;
        tiles.forEach((one, i) => {
            one.setAttribute("aria-selected", String(i === place));
            one.tabIndex = i === place ? 0 : -1;
        });
        const one = tiles[place];
        const middle = one.offsetLeft - strip.offsetLeft - (strip.clientWidth - one.offsetWidth) / 2;
        strip.scrollTo({ left: middle });
    }

    function open(place) {
        mark(place);
        setTriggerValue("picked", header.layers[place].name);
    }

    strip.onkeydown = (event) => {
        const focused = Math.max(0, tiles.indexOf(parentElement.activeElement));
        const last = tiles.length - 1;
        const moves = { ArrowRight: focused + 1, ArrowLeft: focused - 1, Home: 0, End: last };
        if (event.key in moves) {
            event.preventDefault();
            tiles[Math.min(last, Math.max(0, moves[event.key]))].focus();
        } else if (event.key === "Enter" || event.key === " ") {
            event.preventDefault();
            open(focused);
        }
    };
    mark(0);
    listen(
        "layer",
        (name) => mark(Math.max(0, header.layers.findIndex((layer) => layer.name === name))),
        signal,
    );
    if (hadFocus) tiles[chosen].focus();
    return end;
}
