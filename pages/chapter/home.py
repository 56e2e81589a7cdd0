from pages.components import home

home.show()
