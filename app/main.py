"""The script that Streamlit runs, by its path, for every visitor."""

from leukobench.app.pages import show

show()
