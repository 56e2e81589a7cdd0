from cnnlab.catalog import SECTIONS
from pages.components import section

section.show(SECTIONS["googlenet"])
