from pages.components import runs

runs.show()
