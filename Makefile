# make demo   a site of real photos, by the default network, in build/demo
# make test   everything that must hold; prints one closing line that counts tests
# make bench  the figures that README quotes
# make clean  away with what these made

PYTHON ?= python3
BIN := .venv/bin
DEMO := build/demo
SUDO := $(shell [ "$$(id -u)" = 0 ] || echo sudo)
APT = $(SUDO) apt-get update -qq && $(SUDO) DEBIAN_FRONTEND=noninteractive apt-get install -y -qq
BROWSERS := chromium chromium-browser google-chrome

.PHONY: demo test bench picture clean browser

demo: .venv/demo
	$(BIN)/python examples/photos.py $(DEMO)/photos
	$(BIN)/overlay-export $(DEMO)/photos -o $(DEMO)/site --layers block3,block4 --force
	$(BIN)/overlay-export $(DEMO)/photos -o $(DEMO)/page.html --layers block3,block4 --force --quiet
	@echo
	@echo "See the site:  $(BIN)/overlay-serve $(DEMO)/site --open"
	@echo "Or double-click $(DEMO)/page.html, the same page as one file."

# One process more than there are cores: tests of the browser and of commands wait for a part of their time.
test: .venv/test tests/node_modules/.package-lock.json browser
	PYTEST_XDIST_AUTO_NUM_WORKERS=$$($(BIN)/python -c 'import os; print((os.cpu_count() or 1) + 1)') $(BIN)/python -m pytest -n auto --dist loadfile

bench: .venv/test tests/node_modules/.package-lock.json browser
	$(BIN)/python tests/benchmarks/export.py
	$(BIN)/python tests/benchmarks/bytes.py
	$(BIN)/python tests/benchmarks/networks.py
	$(BIN)/python tests/benchmarks/studies.py
	$(BIN)/python tests/benchmarks/factors.py
	$(BIN)/python tests/benchmarks/segment.py
	$(BIN)/python tests/benchmarks/hover.py
	$(BIN)/python tests/benchmarks/figures.py
	$(BIN)/python tests/benchmarks/neighbours.py
	$(BIN)/python tests/benchmarks/gallery.py
	$(BIN)/python tests/benchmarks/map.py
	$(BIN)/python tests/benchmarks/kernel.py

picture: demo .venv/test browser
	$(BIN)/python examples/picture.py $(DEMO)/site examples/gallery.jpg

clean:
	rm -rf build dist .venv .pytest_cache .hypothesis tests/node_modules

# Debian's python3 comes without venv, its nodejs without npm.
.venv/bin/pip:
	$(PYTHON) -m venv .venv || { $(APT) python3-venv && $(PYTHON) -m venv --clear .venv; }

.venv/%: pyproject.toml | .venv/bin/pip
	$(BIN)/pip install --quiet -e '.[$*]'
	@touch $@

tests/node_modules/.package-lock.json: tests/package.json tests/package-lock.json
	@command -v npm >/dev/null || { $(APT) npm; }
	cd tests && npm ci --no-audit --no-fund
	@touch $@

browser:
	@for name in $(BROWSERS); do command -v $$name >/dev/null && exit 0; done; $(APT) chromium
