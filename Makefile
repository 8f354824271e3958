# make demo | make test | make check | make docs: each works alone on a fresh clone with Python 3.11+ and make.
PYTHON ?= python3
VENV := .venv
RUN := $(VENV)/bin/python
# Room for the graph engine in a process that holds torch and scikit-learn.
ROOM := GLIBC_TUNABLES=glibc.rtld.optional_static_tls=8192
IN_TWO := -n 2 --dist loadfile # tests of one file stay together: they share what they trained

# Prints a Python that is new enough and can make an environment. Where there is none it
# prints "! " and what to install instead, and make stops with that line.
define FIND
found=; old=; bare=; \
for python in $(PYTHON) python3.13 python3.12 python3.11; do \
  version=$$("$$python" -c 'import sys; print("%d.%d" % sys.version_info[:2])' 2>/dev/null) || continue; \
  if ! "$$python" -c 'import sys; sys.exit(sys.version_info < (3, 11))'; then \
    old=$${old:-"$$python is $$version"}; \
  elif ! "$$python" -c 'import ensurepip, venv' 2>/dev/null; then \
    bare=$${bare:-"$$python has no venv module: install it (on Debian and Ubuntu: apt install python$$version-venv)"}; \
  else \
    found=$$python; break; \
  fi; \
done; \
if [ -n "$$found" ]; then echo "$$found"; \
elif [ -n "$$bare" ]; then echo "! $$bare"; \
else echo "! $${old:-no $(PYTHON) found}: install Python 3.11 or newer, or name one with PYTHON=/path/to/python3"; fi
endef

.PHONY: demo test check docs install

demo: $(VENV)/.installed
	HF_HUB_OFFLINE=1 $(RUN) train.py
	HF_HUB_OFFLINE=1 $(RUN) evaluate.py runs/demo

test: $(VENV)/.installed
	$(ROOM) $(RUN) -m pytest $(IN_TWO)

check: $(VENV)/.installed
	$(RUN) -m ruff format --check .
	$(RUN) -m ruff check .
	$(RUN) -m pyright
	$(ROOM) $(RUN) -m pytest $(IN_TWO)

# The site, in build/site; a link that leads nowhere is an error.
docs: $(VENV)/.installed
	$(RUN) -m pip install --quiet --disable-pip-version-check --prefer-binary -e '.[docs]'
	$(RUN) -m mkdocs build --strict

install: $(VENV)/.installed

# An environment that works is kept; the packages are brought up to pyproject.toml.
$(VENV)/.installed: pyproject.toml
	@$(RUN) -m pip --version >/dev/null 2>&1 || { \
	  python="$(shell $(FIND))"; \
	  case "$$python" in "! "*) echo "$${python#! }" >&2; exit 1;; esac; \
	  echo "$$python -m venv $(VENV)"; "$$python" -m venv $(VENV); }
	$(RUN) -m pip install --quiet --disable-pip-version-check --prefer-binary -e '.[dev]'
	@touch $@
