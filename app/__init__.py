"""The Streamlit pages: diagnose with a bundle, explore runs, start and watch benchmarks."""
