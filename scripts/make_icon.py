"""Draw the tab's icon: a 7 on a rounded square, as a PNG of 64x64 pixels."""

from pathlib import Path

from PIL import Image, ImageDraw

FILE = Path(__file__).resolve().parents[1] / "src" / "digitlab_app" / "icon.png"
FINE = 4  # drawn larger and made small, for smooth edges


def main() -> None:
    """Write the file."""
    side = 64 * FINE
    icon = Image.new("RGBA", (side, side), (0, 0, 0, 0))
    pen = ImageDraw.Draw(icon)
    pen.rounded_rectangle((0, 0, side - 1, side - 1), side // 5, fill="#0b6bcb")
    seven = [(0.28, 0.25), (0.72, 0.25), (0.44, 0.78)]
    points = [(x * side, y * side) for x, y in seven]
    pen.line(points, fill="white", width=side // 9, joint="curve")
    for x, y in points:
        radius = side // 18
        pen.ellipse((x - radius, y - radius, x + radius, y + radius), fill="white")
    icon.resize((64, 64), Image.Resampling.LANCZOS).save(FILE, optimize=True)


if __name__ == "__main__":
    main()
