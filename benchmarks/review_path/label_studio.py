"""Label Studio as it comes, with the same pictures and boxes, and what its labelers do there.

It is the command of an installation of its own: none of it is in our environment. It runs on
SQLite in a temporary folder, with its statistics, error reports and version check turned off.
"""

import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

from playwright.sync_api import APIResponse, Browser, FilePayload, Page

from benchmarks.harness.benchmark import CannotMeasure
from benchmarks.ingest_path.servers import free_port, started
from benchmarks.review_path.labeler import Deed, drag, drag_in_corner, noting_page, press
from benchmarks.review_path.pictures import HEIGHT, LABELS, WIDTH, Seen, made_pictures

_USER: Final = "labeler@example.com"
_PASSWORD: Final = "only-for-a-benchmark"  # noqa: S105 - of a server that lives for minutes
_TOKEN: Final = "0123456789abcdef0123456789abcdef01234567"  # noqa: S105 - same
_START_TIMEOUT_S: Final = 900.0
_SAVED_TIMEOUT_S: Final = 30.0
_MODEL: Final = "made"

_SETTINGS: Final = {
    "COLLECT_ANALYTICS": "false",
    "FRONTEND_SENTRY_DSN": "",
    "SENTRY_DSN": "",
    "LATEST_VERSION_CHECK": "false",
    "LABEL_STUDIO_ENABLE_LEGACY_API_TOKEN": "true",
    "LABEL_STUDIO_USERNAME": _USER,
    "LABEL_STUDIO_PASSWORD": _PASSWORD,
    "LABEL_STUDIO_USER_TOKEN": _TOKEN,
}

_READING: Final = """{
  place: () => window.Htx?.task?.id,
  isReady: () => {
    const annotation = Htx.annotationStore.selected;
    if (Htx.isLoading || Htx.isSubmitting || annotation?.type !== "annotation") return false;
    const picture = [...annotation.names.values()].find(({ type }) => type === "image");
    const { currentSrc: address, imageLoaded: isLoaded } = picture?.currentImageEntity ?? {};
    const image = [...document.querySelectorAll("img")].find(({ src }) => src && src === address);
    const submit = document.querySelector("[aria-label^='Submit current']");
    const n = Htx.annotationStore.predictions[0]?.regions.length ?? annotation.regions.length;
    return n > 0 && annotation.regions.length === n && picture.stageRef?.find("Rect").length === n
      && isLoaded && image?.naturalWidth && image.checkVisibility() && submit?.disabled === false;
  },
  decides: ({ key, ctrlKey }) => key === "Enter" && ctrlKey,
}"""

_FREE_BOX: Final = """() => {
  const annotation = Htx.annotationStore.selected;
  const { stageRef: stage } = [...annotation.names.values()].find(({ type }) => type === "image");
  const { left, top } = stage.container().getBoundingClientRect();
  for (const rect of stage.find("Rect")) {
    const { x, y, width, height } = rect.getClientRect();
    const middle = { x: x + width / 2, y: y + height / 2 };
    if (stage.getIntersection(middle) === rect) return [left + middle.x, top + middle.y];
  }
  return null;
}"""
"""A point on which a press takes a box: in the middle of one that no other covers."""


class _Api:
    """What is asked of it beside the page."""

    def __init__(self, page: Page, url: str) -> None:
        self._request = page.context.request
        self._url = f"{url}/api/"
        self._headers = {"Authorization": f"Token {_TOKEN}"}

    def get(self, path: str) -> Any:
        return _said(self._request.get(self._url + path, headers=self._headers))

    def post(self, path: str, data: object) -> Any:
        return _said(self._request.post(self._url + path, headers=self._headers, data=data))

    def patch(self, path: str, data: object) -> None:
        _said(self._request.patch(self._url + path, headers=self._headers, data=data))

    def upload(self, path: str, name: str, jpeg: bytes) -> Any:
        file: FilePayload = {"name": name, "mimeType": "image/jpeg", "buffer": jpeg}
        answer = self._request.post(
            self._url + path, headers=self._headers, multipart={"file": file}
        )
        return _said(answer)


class LabelStudioEditor:
    """The stream of tasks of a project."""

    def __init__(self, page: Page, api: _Api, project: str) -> None:
        self.page = page
        self._api = api
        self._project = project

    def do(self, deed: Deed) -> None:
        match deed:
            case "accept":
                pass
            case "fix":  # no key moves a box there
                x, y = self._on_a_box()
                drag(self.page, (x, y), (x + 10, y + 10))
            case "delete":
                press(self.page, "Alt+.", "Backspace")
            case "add":
                press(self.page, "2")
                drag_in_corner(self.page, ".konvajs-content")
        press(self.page, "Control+Enter")

    @property
    def release(self) -> str:
        return str(self._api.get("version")["release"])

    def _on_a_box(self) -> tuple[float, float]:
        point = self.page.evaluate(_FREE_BOX)
        assert point is not None, "every box is covered by another"
        return point[0], point[1]

    def wait_until_saved(self, n: int) -> None:
        deadline = time.monotonic() + _SAVED_TIMEOUT_S
        while self._api.get(self._project)["total_annotations_number"] < n:
            if time.monotonic() > deadline:
                raise CannotMeasure("Label Studio did not keep what was submitted")
            time.sleep(0.2)


@contextmanager
def label_studio_editor(browser: Browser, command: str, *, n: int) -> Iterator[LabelStudioEditor]:
    """Yield the editor of a project with `n` pictures to label, the first of them open."""
    with _server(command) as url:
        page = noting_page(browser, _READING)
        api = _Api(page, url)
        number = _fill(api, n)
        page.goto(f"{url}/user/login/")
        page.fill("input[name=email]", _USER)
        page.fill("input[name=password]", _PASSWORD)
        page.click("button[type=submit]")
        page.wait_for_load_state()
        page.goto(f"{url}/projects/{number}/data?labeling=1")
        page.wait_for_function(
            f"() => window.Htx?.annotationStore?.selected && ({_READING}).isReady()"
        )
        page.wait_for_load_state("networkidle")
        yield LabelStudioEditor(page, api, f"projects/{number}/")
        page.context.close()


@contextmanager
def _server(command: str) -> Iterator[str]:
    port = free_port()
    settings = [f"{name}={value}" for name, value in _SETTINGS.items()]
    with (
        tempfile.TemporaryDirectory(prefix="label-studio-") as folder,
        (Path(folder) / "said").open("w+b") as said,
    ):
        start = [command, "start", "--no-browser", "--data-dir", folder]
        listen = ["--internal-host", "127.0.0.1", "--port", str(port)]
        words = ["/usr/bin/env", *settings, *start, *listen]
        try:
            with started(words, port, timeout_s=_START_TIMEOUT_S, stderr=said):
                yield f"http://127.0.0.1:{port}"
        except CannotMeasure as error:
            said.seek(0)
            last = said.read().decode(errors="replace").splitlines()[-5:]
            raise CannotMeasure("\n".join([str(error), "Label Studio said:", *last])) from error


def _fill(api: _Api, n: int) -> int:
    """Make a project of `n` pictures with their boxes as predictions; return its number."""
    labels = "".join(f'<Label value="{label}"/>' for label in LABELS)
    view = (
        '<View><Image name="image" value="$image"/>'
        f'<RectangleLabels name="label" toName="image">{labels}</RectangleLabels></View>'
    )
    project = api.post("projects/", {"title": "Doubtful pictures", "label_config": view})["id"]
    tasks = []
    for number, picture in enumerate(made_pictures(n)):
        into = f"projects/{project}/import?commit_to_project=false"
        (upload,) = api.upload(into, f"{number}.jpg", picture.jpeg)["file_upload_ids"]
        path = api.get(f"import/file-upload/{upload}")["file"]
        boxes = [_region(seen) for seen in picture.seen]
        prediction = {"model_version": _MODEL, "result": boxes}
        tasks.append({"data": {"image": f"/data/{path}"}, "predictions": [prediction]})
    api.post(f"projects/{project}/import", tasks)
    api.patch(f"projects/{project}/", {"model_version": _MODEL, "show_collab_predictions": True})
    return int(project)


def _region(seen: Seen) -> dict[str, object]:
    x0, y0, x1, y1 = (100 * value for value in seen.xyxy)
    place = {"x": x0, "y": y0, "width": x1 - x0, "height": y1 - y0, "rotation": 0}
    return {
        "type": "rectanglelabels",
        "from_name": "label",
        "to_name": "image",
        "original_width": WIDTH,
        "original_height": HEIGHT,
        "image_rotation": 0,
        "value": {**place, "rectanglelabels": [LABELS[seen.label]]},
        "score": seen.score,
    }


def _said(answer: APIResponse) -> Any:
    if not answer.ok:
        raise CannotMeasure(f"Label Studio refused {answer.url}: {answer.text()[:500]}")
    return answer.json()
