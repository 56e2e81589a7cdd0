from pages.components import teacher

teacher.show()
