"""What pages ask for and complain about."""

import re
from urllib.parse import urlsplit


class Watch:
    """What the pages of a test asked for and complained about. Complaints that a test did not announce fail it, and so does an announced one that never came."""

    def __init__(self):
        self.origins, self.requests, self.complaints, self.expected = set(), [], [], []

    def attach(self, page):
        page.on("request", self._request)
        page.on("console", lambda message: message.type == "error" and self.complaints.append(f"console: {message.text} ({message.location['url']})"))
        page.on("pageerror", lambda error: self.complaints.append(f"page error: {error}"))

    def allow(self, url):
        self.origins.add(origin(url))

    def expect(self, pattern):
        """A console or page error that belongs to the test."""
        self.expected.append(pattern)

    def _request(self, request):
        self.requests.append(request.url)
        if urlsplit(request.url).scheme not in ("data", "blob") and origin(request.url) not in self.origins:
            self.complaints.append(f"request to another host: {request.url}")

    def paths(self, suffix=""):
        """The paths asked for so far that end so, in order."""
        return [path for path in (urlsplit(url).path for url in self.requests) if path.endswith(suffix)]

    def check(self):
        surplus = [text for text in self.complaints if not any(re.search(pattern, text) for pattern in self.expected)]
        missing = [pattern for pattern in self.expected if not any(re.search(pattern, text) for text in self.complaints)]
        assert not surplus, "the page complained:\n" + "\n".join(surplus)
        assert not missing, f"expected complaints that never came: {missing}"


def origin(url):
    parts = urlsplit(str(url))
    return f"{parts.scheme}://{parts.netloc}"
