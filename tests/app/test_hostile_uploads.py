"""Damaged files through the app: a picture or a sentence, and the page goes on."""

from tests.app.conftest import Open
from tests.faults.hostile_pictures import damaged_samples, decode_or_refuse

# A name is a stranger's text too.
NAMES = ("../../x.png", "=1+1.jpg", "<script>alert(1)</script>.webp", "![a](http://evil.example)")


def test_damaged_files_get_a_picture_or_a_sentence(open_page: Open) -> None:
    app = open_page("resnet", "Feature maps", weights="fresh", picture_from="Upload")
    seen = set()
    for number, (done, raw) in enumerate(damaged_samples(24, seed=1)):
        name = NAMES[number % len(NAMES)]
        app.file_uploader(key="upload").set_value((name, raw, "image/png")).run()
        assert not app.exception, done
        refused = decode_or_refuse(raw) is None
        assert len(app.error) == refused, done
        assert len(app.image) == 3, "the sample is shown meanwhile"
        assert not any(name in box.value for box in [*app.error, *app.markdown, *app.caption])
        seen.add(refused)
    assert seen == {True, False}
