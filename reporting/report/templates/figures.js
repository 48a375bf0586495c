
"use strict";
(() => {
  const options = {
    mode: "vega-lite", renderer: "svg", ast: true, actions: false, defaultStyle: false, logLevel: 1,
    tooltip: { theme: matchMedia("(prefers-color-scheme: dark)").matches ? "dark" : "light" },
  };
  // Vega names each mark by its shape, which tells a listener nothing; the sentence of the drawing does.
  const readAsPicture = (svg, sentence) => {
    for (const mark of svg.querySelectorAll("[role], [aria-roledescription]")) {
      for (const name of ["role", "aria-roledescription", "aria-label"]) mark.removeAttribute(name);
    }
    svg.setAttribute("role", "img");
    svg.setAttribute("aria-label", sentence);
  };
  const enliven = async (drawing, spec) => {
    const live = document.createElement("div");
    live.className = "live";
    live.hidden = true;
    live.setAttribute("role", "group");
    live.setAttribute("aria-label", drawing.getAttribute("aria-label"));
    drawing.after(live);
    live.style.maxWidth = drawing.style.maxWidth;
    live.classList.add(...drawing.classList);
    try {
      await vegaEmbed(live, spec, options);
      readAsPicture(live.querySelector("svg"), drawing.getAttribute("aria-label"));
      live.hidden = false;
      drawing.classList.add("still");
    } catch {
      live.remove();
    }
  };
  const seen = new IntersectionObserver((entries) => {
    for (const { isIntersecting, target } of entries) {
      if (!isIntersecting) continue;
      seen.unobserve(target);
      const specs = JSON.parse(target.parentElement.querySelector("script").textContent);
      enliven(target, specs[target.classList.contains("narrow") ? 1 : 0]);
    }
  }, { rootMargin: "200px" });
  for (const drawing of document.querySelectorAll("figure.vega > .drawing")) seen.observe(drawing);
})();
