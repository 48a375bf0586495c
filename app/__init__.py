"""The Streamlit pages: diagnose with a bundle, explore what a run found, start and watch benchmarks."""
