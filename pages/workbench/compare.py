from pages.components import compare

compare.show()
