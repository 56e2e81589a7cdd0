"""CNN Lab: `streamlit run app.py`.

Streamlit reads this file twice. The server imports it once as the module `app` and takes the
ASGI application; after that, every visit runs it as a script and gets a page.
"""

import streamlit as st

if __name__ == "__main__":
    from pages.components import frame

    frame.show()
else:
    from pages.components import server

    app = st.App(
        __file__, lifespan=server.lifespan, middleware=server.MIDDLEWARE, routes=server.ROUTES
    )
