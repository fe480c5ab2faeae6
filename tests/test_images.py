import os
import re
import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from exporter import images
from exporter.errors import ExportError, UsageError
from exporter.images import find_images
from exporter.marks import is_export

NAMES = st.lists(st.text(st.characters(exclude_characters="/\0"), min_size=1, max_size=80), max_size=25)


def put(root, *names):
    for name in names:
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(b"")
    return root


def ids(found):
    return [image.id for image in found.images]


def mark_export(folder, content='{"format": "overlay-export bundle", "version": 1}'):
    put(folder, "images/copy.jpg")
    (folder / "bundle.json").write_text(content)


def test_scan_takes_images_in_path_order_and_nothing_else(tmp_path):
    put(tmp_path, "b.JPG", "a/z.png", "a.gif", "notes.txt", ".hidden.jpg", ".git/x.jpg", "raw.cr2", "C.heic")
    found = find_images([tmp_path])
    assert [image.path.relative_to(tmp_path).as_posix() for image in found.images] == ["C.heic", "a.gif", "a/z.png", "b.JPG"]
    assert all(image.path.is_absolute() for image in found.images)
    assert found.warnings == ()


@pytest.mark.parametrize("suffix", images.IMAGE_SUFFIXES)
def test_every_suffix_counts_in_either_case(tmp_path, suffix):
    put(tmp_path, f"a{suffix}", f"b{suffix.upper()}")
    assert ids(find_images([tmp_path])) == ["a", "b"]


def test_order_does_not_depend_on_arguments_or_working_directory(tmp_path, monkeypatch):
    put(tmp_path, "cats/b.jpg", "cats/dog.jpg", "dogs/dog.jpg", "dogs/a.jpg")
    absolute = find_images([tmp_path / "dogs", tmp_path / "cats"])
    monkeypatch.chdir(tmp_path)
    assert find_images(["cats/", "dogs"]) == absolute
    monkeypatch.chdir(tmp_path / "cats")
    assert find_images(["../dogs", "."]) == absolute
    assert ids(absolute) == ["b", "dog", "a", "dog-2"]


def test_subfolders_are_groups(tmp_path):
    put(tmp_path, "x.jpg", "dogs/a.jpg", "dogs/big_puppies/b.jpg")
    found = find_images([tmp_path])
    assert [(image.id, image.group) for image in found.images] == [("a", "dogs"), ("b", "dogs/big_puppies"), ("x", "")]
    assert [(group.id, group.title) for group in found.groups] == [("dogs", "dogs"), ("dogs/big_puppies", "dogs/big puppies"), ("", "")]


def test_generated_images_belong_to_the_folder_above_and_are_marked(tmp_path):
    put(tmp_path, "dogs/_generated/a.png", "dogs/b.png", "_generated/c.png", "dogs/_generated/pups/d.png", "generated/e.png", "x_generated/f.png")
    found = find_images([tmp_path])
    facts = {image.id: (image.group, image.mark) for image in found.images}
    assert facts == {"a": ("dogs", "generated"), "b": ("dogs", ""), "c": ("", "generated"), "d": ("dogs/pups", "generated"), "e": ("generated", ""), "f": ("x_generated", "")}
    assert ids(found) == ["c", "a", "d", "b", "e", "f"]
    assert [group.id for group in found.groups] == ["", "dogs", "dogs/pups", "generated", "x_generated"]


@pytest.mark.parametrize(
    ("stem", "title", "mark"),
    [
        ("dog_generated", "dog", "generated"),
        ("dog_generated_2", "dog 2", "generated"),
        ("dog_generated-by_net", "dog by net", "generated"),
        ("dog_generated7", "dog 7", "generated"),
        ("_generated", "_generated", "generated"),
        ("dog_generatedly", "dog generatedly", ""),
        ("generated", "generated", ""),
    ],
)
def test_a_name_with_generated_is_a_mark_and_no_title(tmp_path, stem, title, mark):
    put(tmp_path, f"dogs/{stem}.png")
    for inputs in ([tmp_path], [tmp_path / f"dogs/{stem}.png"]):
        (image,) = find_images(inputs).images
        assert (image.id, image.title, image.mark) == (stem, title, mark)


def test_notes_mark_images_and_describe_groups_with_generated_ones(tmp_path):
    put(tmp_path, "dogs/_generated/a.png", "dogs/b.png", "dogs/c.png")
    notes(tmp_path, '[images.a]\nmark = ""\n[images.b]\nmark = "synthetic"\n[classes.dogs]\ncaption = "bark"\n[classes."dogs/_generated"]\ncaption = "x"')
    found = find_images([tmp_path])
    assert {image.id: image.mark for image in found.images} == {"a": "generated", "b": "synthetic", "c": ""}
    assert found.groups == (images.Group("dogs", "dogs", "bark"),)
    assert found.warnings == (f'images.toml: no group "dogs/_generated" in {tmp_path}; correct or remove the entry',)


def test_several_folders_put_their_names_in_front_and_may_share_one(tmp_path):
    put(tmp_path, "1/cats/a.jpg", "2/cats/b.jpg", "dogs/c.jpg", "dogs/pups/d.jpg")
    found = find_images([tmp_path / "1/cats", tmp_path / "2/cats", tmp_path / "dogs"])
    assert [image.group for image in found.images] == ["cats", "cats", "dogs", "dogs/pups"]
    assert [group.id for group in found.groups] == ["cats", "dogs", "dogs/pups"]


def test_an_image_reached_twice_counts_once_for_the_outer_folder(tmp_path):
    put(tmp_path, "dogs/a.jpg", "b.jpg")
    inputs = [tmp_path / "dogs/a.jpg", tmp_path / "dogs", tmp_path, f"{tmp_path}/dogs/../b.jpg"]
    for given_inputs in (inputs, inputs[::-1]):
        found = find_images(given_inputs)
        assert [(image.id, image.group) for image in found.images] == [("b", tmp_path.name), ("a", f"{tmp_path.name}/dogs")]
    assert [image.group for image in find_images([tmp_path, tmp_path / "dogs/.."]).images] == ["", "dogs"]


def test_named_files_have_no_group(tmp_path):
    put(tmp_path, "dogs/a.jpg", "cats/b.jpg")
    found = find_images([tmp_path / "dogs", tmp_path / "cats/b.jpg"])
    assert [(image.id, image.group) for image in found.images] == [("b", ""), ("a", "")]


def test_linked_folders_are_followed_once(tmp_path):
    put(tmp_path, "in/real/a.jpg", "out/b.jpg")
    (tmp_path / "in/again").symlink_to(tmp_path / "in/real")
    (tmp_path / "in/loop").symlink_to(tmp_path / "in")
    (tmp_path / "in/other").symlink_to(tmp_path / "out")
    (tmp_path / "in/self").symlink_to(tmp_path / "in/self")
    assert [image.group for image in find_images([tmp_path / "in"]).images] == ["other", "real"]


def test_a_dangling_link_is_kept_to_fail_by_name(tmp_path):
    (tmp_path / "gone.jpg").symlink_to(tmp_path / "nowhere.jpg")
    assert ids(find_images([tmp_path])) == ["gone"]


def test_a_pipe_is_no_image(tmp_path):
    put(tmp_path, "a.jpg")
    os.mkfifo(tmp_path / "pipe.jpg")
    assert ids(find_images([tmp_path])) == ["a"]


def test_earlier_exports_are_skipped(tmp_path):
    put(tmp_path, "a.jpg")
    mark_export(tmp_path / "site")
    mark_export(tmp_path / "other", '{"format": "something else"}')
    assert is_export(tmp_path / "site")
    assert [image.path.parent.parent.name for image in find_images([tmp_path]).images[1:]] == ["other"]


@pytest.mark.parametrize("content", ["", "[", "[]", '"overlay-export bundle"', "{}", "\ud800", "[" * 100_000])
def test_garbage_is_no_export(tmp_path, content):
    (tmp_path / "bundle.json").write_bytes(content.encode("utf-8", "surrogatepass"))
    assert not is_export(tmp_path)
    assert not is_export(tmp_path / "missing")


def test_an_export_as_argument_is_refused(tmp_path):
    mark_export(tmp_path)
    with pytest.raises(UsageError, match=r"is an earlier export, expected images; name the folder"):
        find_images([tmp_path])


def test_wrong_inputs_are_all_named(tmp_path):
    put(tmp_path, "notes.txt", "a.jpg")
    with pytest.raises(UsageError) as caught:
        find_images([tmp_path / "nope.jpg", tmp_path / "notes.txt", tmp_path / "a.jpg"])
    assert re.search(r"no such file or folder: .*nope\.jpg.*; .*notes\.txt is not an image by its name", str(caught.value))
    assert caught.value.exit_code == 2
    with pytest.raises(UsageError, match="no images were named"):
        find_images([])
    with pytest.raises(UsageError, match="no such file"):
        find_images(["nul\0.jpg"])


def test_nothing_found_names_folder_and_suffixes(tmp_path):
    with pytest.raises(ExportError, match=r"no images in .*, expected files ending in \.jpg .*\.heic") as caught:
        find_images([tmp_path])
    assert str(tmp_path) in str(caught.value) and caught.value.exit_code == 1


def test_unreadable_folder(tmp_path, monkeypatch):
    def refuse(path):
        raise PermissionError(13, "Permission denied", path)

    monkeypatch.setattr(images.os, "listdir", refuse)
    with pytest.raises(ExportError, match=r"cannot read the folder .* \(Permission denied\)"):
        find_images([tmp_path])


def test_equal_stems_get_numbers_in_path_order(tmp_path):
    put(tmp_path, "1/dog.jpg", "2/dog-2.jpg", "3/dog.png", "3/dog.jpg")
    assert ids(find_images([tmp_path])) == ["dog", "dog-2", "dog-3", "dog-4"]


def test_strange_names_are_shown_as_they_are_and_published_safely(tmp_path):
    names = ["a b", "it's \"q\"", "50%#1", "<script>x<", "Ünï_cödé", "日本", "犬", "tab\there", "con", "CON", "a  b"]
    put(tmp_path, *(f"{name}.jpg" for name in names))
    found = {image.path.stem: image for image in find_images([tmp_path]).images}
    assert found["<script>x<"].id == found["<script>x<"].title == "<script>x<"
    assert (found["Ünï_cödé"].title, found["Ünï_cödé"].slug) == ("Ünï cödé", "uni-code")
    assert found["tab\there"].id == "tab here"
    assert found["50%#1"].slug == "50-1"
    assert {found["日本"].slug, found["犬"].slug} == {"image", "image-2"}
    assert {found["con"].slug, found["CON"].slug} == {"image-con", "image-con-2"}
    assert {found["a b"].slug, found["a  b"].slug} == {"a-b", "a-b-2"}


def test_names_in_both_unicode_forms(tmp_path):
    for form in ("NFC", "NFD"):
        put(tmp_path, f"{form}/" + unicodedata.normalize(form, "été.jpg"))
    assert ids(find_images([tmp_path])) == ["été", "été-2"]


def test_a_name_that_is_no_utf8_can_still_be_written(tmp_path):
    with open(os.fsencode(tmp_path) + b"/caf\xe9.jpg", "wb"):
        pass
    (image,) = find_images([tmp_path]).images
    assert image.id == image.title == "caf\ufffd" and image.path.exists()


@given(NAMES)
def test_ids_and_slugs_are_unique_and_safe(names):
    unique = images._ids(images.Path(f"{name}.jpg") for name in names)
    slugs = images.unique(map(images.slug, unique), images.SLUG_LENGTH)
    assert len(set(unique)) == len(set(slugs)) == len(names)
    for name in unique:
        assert name and name == unicodedata.normalize("NFC", name) and name.encode()
        assert not any(unicodedata.category(char) == "Cc" for char in name)
    assert all(re.fullmatch(r"[a-z0-9]([a-z0-9-]{0,58}[a-z0-9])?", slug) for slug in slugs)


def test_long_equal_names_stay_short():
    slugs = images.unique(["x" * 60] * 12, 60)
    assert len(set(slugs)) == 12 and max(map(len, slugs)) == 60


def notes(folder, text):
    folder.mkdir(exist_ok=True, parents=True)
    (folder / "images.toml").write_text(text, "utf-8")


def test_notes_describe_images_and_groups(tmp_path):
    put(tmp_path, "dog_cat.jpg", "dogs/a b.jpg")
    notes(tmp_path, '\ufeff[images.dog_cat]\nalt = "both"\ncredit = "me"\n[images."a b"]\ntitle = "A & B"\n[classes.dogs]\ntitle = "Dogs!"\ncaption = "bark"')
    found = find_images([tmp_path])
    both, other = found.images
    assert (both.title, both.alt, both.credit) == ("dog cat", "both", "me")
    assert (other.title, other.alt, other.credit) == ("A & B", "", "")
    assert found.groups[1] == images.Group("dogs", "Dogs!", "bark")
    assert found.warnings == ()


def test_notes_serve_their_own_folder_when_ids_moved(tmp_path):
    put(tmp_path, "a/dog.jpg", "b/dog.jpg", "b/pups/x.jpg")
    notes(tmp_path / "a", '[images.dog]\nalt = "first"')
    notes(tmp_path / "b", '[images.dog]\nalt = "second"\n[classes.pups]\ntitle = "Pups"')
    found = find_images([tmp_path / "a", tmp_path / "b"])
    assert [(image.id, image.alt) for image in found.images] == [("dog", "first"), ("dog-2", "second"), ("x", "")]
    assert found.groups[2] == images.Group("b/pups", "Pups")
    notes(tmp_path / "b", '[images.dog-2]\nalt = "by id"\n[classes."b/pups"]\ncaption = "c"')
    found = find_images([tmp_path / "a", tmp_path / "b"])
    assert found.images[1].alt == "by id" and found.groups[2].caption == "c" and found.warnings == ()


def test_notes_nearer_to_the_image_win(tmp_path):
    put(tmp_path, "sub/dog.jpg")
    notes(tmp_path, '[images.dog]\nalt = "outer"\ncredit = "outer"')
    notes(tmp_path / "sub", '[images.dog]\nalt = "inner"')
    for inputs in ([tmp_path, tmp_path / "sub"], [tmp_path / "sub/dog.jpg", tmp_path]):
        (image,) = find_images(inputs).images
        assert (image.alt, image.credit) == ("inner", "outer")


def test_notes_without_an_image_are_a_warning_for_folders_only(tmp_path):
    put(tmp_path, "dog.jpg", "cats/c.jpg")
    notes(tmp_path, '[images.dgo]\nalt = "x"\n[classes.zebras]\ntitle = "x"')
    assert find_images([tmp_path]).warnings == (
        f'images.toml: no image "dgo" in {tmp_path}; did you mean "dog"?',
        f'images.toml: no group "zebras" in {tmp_path}; correct or remove the entry',
    )
    assert find_images([tmp_path / "dog.jpg"]).warnings == ()


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("[images.dog", r"images\.toml is not valid TOML \(.*\), expected tables such as \[images\.dog\]"),
        ("images = 3", r"images is 3, expected a table"),
        ("[images]\nalt = 'x'", r"images\.alt is 'x', expected a table"),
        ("[images.dog]\nalt = 3", r"images\.dog\.alt is 3, expected text"),
    ],
)
def test_wrong_notes_are_refused(tmp_path, text, message):
    put(tmp_path, "dog.jpg")
    notes(tmp_path, text)
    for given_input in (tmp_path, tmp_path / "dog.jpg"):
        with pytest.raises(ExportError, match=message) as caught:
            find_images([given_input])
        assert "images.toml" in str(caught.value)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("[pictures.dog]", "unknown table or key 'pictures', expected [images.ID] or [classes.GROUP]; correct or remove it"),
        ("[images.dog]\nalttext = 3", "unknown key 'alttext' in images.dog, expected alt, credit, title, mark; correct or remove it"),
        ("[images.dog.b]\nalt = 'x'", "unknown key 'b' in images.dog, expected alt, credit, title, mark; a name with dots is quoted: [images.\"dog.b\"]"),
        ("[images.dog]\n[classes.pets]\nalt = 'x'", "unknown key 'alt' in classes.pets, expected title, caption; correct or remove it"),
    ],
)
def test_keys_that_mean_nothing_are_a_warning(tmp_path, text, message):
    put(tmp_path, "pets/dog.jpg")
    notes(tmp_path, f"{text}\n[images.'dog ']\ncredit = 'known'")
    found = find_images([tmp_path])
    assert found.warnings[0] == f"{tmp_path / 'images.toml'}: {message}"
    assert found.images[0].credit == "known" and found.images[0].alt == ""


def test_notes_that_cannot_be_read(tmp_path):
    put(tmp_path, "dog.jpg")
    (tmp_path / "images.toml").mkdir()
    with pytest.raises(ExportError, match=r"cannot read .*images\.toml \("):
        find_images([tmp_path])
    (tmp_path / "images.toml").rmdir()
    (tmp_path / "images.toml").write_bytes(b"\xff")
    with pytest.raises(ExportError, match="not valid TOML"):
        find_images([tmp_path])
