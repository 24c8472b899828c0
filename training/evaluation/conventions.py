"""How every figure of a report is computed: the paper's conventions, and ours where the paper leaves it open.

From Faanes et al. ("Evaluation and validation", Tables 1 and 2) and the script that the authors published with it:

- A slice is scored by its pixels: TP, FP and FN count pixels of the predicted and the true mask.
- Dice = 2 TP / (2 TP + FP + FN), precision = TP / (TP + FP), recall = TP / (TP + FN), FNR = 1 - recall.
- An empty prediction on a slice with tumour has Dice, precision and recall 0 and FNR 1, and stays in every mean.
- PP, positive predictions, is the share of tumour slices in which anything was segmented (TP or FP is not 0).
- Means are over slices, with the population's standard deviation (divided by n).
- An area is the number of pixels times the slice's own row and column spacing; bins are open below, closed above.
- Slices without tumour have a table of their own. Without a contour they have no Dice, and they never enter a mean Dice
  over tumour slices. In tables by predicted area, which is all a viewer knows, a false contour counts as Dice 0.
- HD95 is the larger of the two directed 95th percentiles (linear between ranks) of the distances in mm between the
  masks' edge pixels; an edge pixel has a neighbour (above, below, left or right) outside the mask or outside the
  picture. The authors' script (seg-metrics) pools both directions before it takes the percentile, counts diagonal
  neighbours, and sees no edge at the picture's border: that is "HD95 pooled". Both, and |vs|, are means over tumour
  slices with a prediction, since without one there is no distance.
- vs = 2 (P - T) / (P + T) of the predicted and the true area; |vs| is a difference: 0 is perfect, 2 the worst.
- Area error = (P - T) / T, signed.

Beyond the paper:

- Detection and delineation are reported separately: a tumour slice is detected if contour and truth share a pixel;
  "Dice where detected" is the mean over detected slices only.
- Boxes are detection alone and stand in a table of their own: one around each region of a mask, scored by how many find
  their tumour (recall, precision, F1 at an intersection over union of 0.5, centre hit). They enter no Dice.
- Boxes with scores, of a head or of a mask's regions, have average precision and sensitivity at a rate of false boxes,
  in another table of their own (`ranked_boxes`).
- No figure is given over fewer than five patients, but in one table that is shown on request. Intervals and tests take
  patients as their unit, since the slices of one patient are not independent.
- Volume Dice adds TP, FP and FN over the slices of one direction of one volume, then takes the mean of the
  directions. It knows only the slices in the store, so it misses false contours in slices that were not cut.
- The largest-slice protocol takes each patient's one slice with the largest true area.
- Specificity is the share of tumour-free slices without a contour; "none above 35 mm²" forgives small ones.
"""

from training.evaluation.metrics import METRICS

WORDS = (
    "A slice is scored by its pixels. " + " ".join(one.words for one in METRICS),
    "An empty prediction on a slice with tumour has Dice, precision and recall 0 and FNR 1, and stays in every mean.",
    "PP: share of tumour slices in which anything was segmented. Detection rate: share in which contour and truth "
    "share a pixel; “Dice where detected” is over those alone.",
    "Boxes, one around each region of a mask, are scored apart: they say where a tumour is and nothing of its outline.",
    "Means are over slices unless a table says patients; ± is the population's standard deviation. Area bins are open "
    "below and closed above.",
    "Slices without tumour have a table of their own and never enter a mean Dice over tumour slices. By predicted "
    "area, a false contour counts as Dice 0.",
    "A figure over fewer than five patients is not given (–). Intervals and tests take patients as their unit.",
    "Volume Dice adds TP, FP and FN over the stored slices of one direction of a volume, then takes the mean of the "
    "directions. Largest slice: of each patient, the one with the largest true area.",
)
"""The same conventions for readers of a report, in one or two sentences each."""
