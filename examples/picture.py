"""Take the picture of a site's gallery that README shows: python examples/picture.py SITE PICTURE.jpg (needs the extra `test` and Chromium)."""

import shutil
import sys
import threading
from pathlib import Path

from playwright.sync_api import sync_playwright

from exporter.serve import make_server

FLAGS = ["--headless", "--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-background-networking"]
SIZE = {"width": 1240, "height": 900}


def main(site: Path, picture: Path) -> None:
    server, address = make_server(site, 0)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    with sync_playwright() as playwright:
        chromium = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))))
        browser = playwright.chromium.launch(executable_path=chromium, args=FLAGS)
        page = browser.new_page(viewport=SIZE)
        page.goto(address)
        gallery = page.locator("similarity-overlay").first
        gallery.evaluate("async element => { await element.ready; window.scrollTo(0, element.getBoundingClientRect().top + window.scrollY - 20); }")
        page.wait_for_load_state("networkidle")
        page.screenshot(path=picture, type="jpeg", quality=82)
        browser.close()
    server.shutdown()


if __name__ == "__main__":
    if len(sys.argv) != 3:
        raise SystemExit("usage: python examples/picture.py SITE PICTURE.jpg")
    main(Path(sys.argv[1]), Path(sys.argv[2]))
