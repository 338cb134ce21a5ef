"""LaTeX: the brackets that the formula needs, numbers and letters as in print."""

from __future__ import annotations

import pytest
from matplotlib.mathtext import MathTextParser

from symbolic.catalogue import catalogue
from symbolic.latex import to_latex
from symbolic.parser import parse

NAMES = ["r", "A", "t", "alpha", "eps", "eps_low", "beta2", "lambda", "width", "C", "w_max"]


@pytest.mark.parametrize(
    ("text", "latex"),
    [
        ("0.6", "0.6"),
        ("1e-6", "10^{-6}"),
        ("15e-9", r"15 \cdot 10^{-9}"),
        ("r**2", "r^{2}"),
        ("-r**2", "-r^{2}"),
        ("(-r)**2", r"\left(-r\right)^{2}"),
        ("2**-r", "2^{-r}"),
        ("(r**2)**A", r"\left(r^{2}\right)^{A}"),
        ("r**A**2", "r^{A^{2}}"),
        ("log(r)*A", r"\log\left(r\right) \, A"),
        ("log(r)**2", r"\left(\log\left(r\right)\right)^{2}"),
        ("exp(r - 1)**2", r"\left(e^{r - 1}\right)^{2}"),
        ("(r - 1)*A", r"\left(r - 1\right) \, A"),
        ("A*(r*t)", r"A \, \left(r \, t\right)"),
        ("r - (A - t)", r"r - \left(A - t\right)"),
        ("r + -A", r"r + \left(-A\right)"),
        ("-(-r)", r"-\left(-r\right)"),
        ("-(r + 1)", r"-\left(r + 1\right)"),
        ("2*3", r"2 \cdot 3"),
        ("(r - 1)/(2*A)", r"\frac{r - 1}{2 \, A}"),
        ("(r/A)**2", r"\left(\frac{r}{A}\right)^{2}"),
        ("r/A/t", r"\frac{\frac{r}{A}}{t}"),
        ("inv(r)*A", r"\frac{1}{r} \, A"),
        ("sqrt(r)**3", r"\left(\sqrt{r}\right)^{3}"),
        ("abs(A)**2", r"\left|A\right|^{2}"),
        ("square(r)**2", r"\left(\left(r\right)^{2}\right)^{2}"),
        ("alpha + eps + eps_low", r"\alpha + \epsilon + \epsilon_{\mathrm{low}}"),
        ("beta2*lambda", r"\beta_{2} \, \lambda"),
        ("width*C*w_max", r"\mathrm{width} \, C \, w_{\mathrm{max}}"),
        ("relu(A) + sigmoid(A)", r"\operatorname{ReLU}\left(A\right) + \sigma\left(A\right)"),
        ("max(r, 1, A)", r"\max\left(r, 1, A\right)"),
        (
            "where(A >= 0, r, 1)",
            r"\begin{cases} r & \text{if } A \ge 0 \\ 1 & \text{otherwise} \end{cases}",
        ),
        (
            "2*where(A < 0, r, 1)",
            r"2 \, \left(\begin{cases} r & \text{if } A < 0 \\ 1 & \text{otherwise} \end{cases}\right)",
        ),
    ],
)
def test_latex(text, latex):
    assert to_latex(parse(text, names=NAMES)) == latex


@pytest.mark.parametrize("name", catalogue)
def test_a_typesetter_reads_the_catalogue(name):
    latex = to_latex(catalogue[name].formula)
    if "cases" not in latex:  # matplotlib knows no environments
        MathTextParser("path").parse(f"${latex}$")
