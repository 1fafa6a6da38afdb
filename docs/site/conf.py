"""How Sphinx makes the site; `make docs` runs it on the pages that docs/site/stage.py lays out."""

project = "Headrace"
html_title = "Headrace"
html_theme = "furo"
extensions = ["myst_parser", "sphinx.ext.autodoc", "sphinx.ext.napoleon"]
myst_heading_anchors = 4
root_doc = "index"
autodoc_member_order = "bysource"
autodoc_typehints_format = "short"
python_maximum_signature_line_length = 80
html_show_sourcelink = False
html_show_copyright = False
