#include "reports/assessment.h"

#include <algorithm>
#include <limits>

#include <fmt/format.h>

#include "reports/case_names.h"
#include "reports/comparison.h"
#include "reports/disturbance.h"
#include "reports/figure.h"
#include "reports/selection.h"

namespace assay {

namespace {

Assessment without_figure(VerdictStatus status, std::string reason, std::string reason_id) {
    Assessment assessment;
    assessment.status = status;
    assessment.reason = std::move(reason);
    assessment.reason_id = std::move(reason_id);
    return assessment;
}

/// A case that should have given a figure and did not.
Assessment of_unmeasured(const Outcome& outcome) {
    const VerdictStatus status =
        outcome.status == Status::failed ? VerdictStatus::fail : VerdictStatus::not_measured;
    std::string id(to_string(outcome.status));
    std::string words = id == "timed_out" ? "timed out" : id;
    if (!outcome.reason.empty()) words += ": " + outcome.reason;
    return without_figure(status, std::move(words), std::move(id));
}

/// The interval that must lie on one side of the bound. The figure itself belongs to it: an interval that
/// does not hold its own figure must not decide against it.
Interval judged_interval(const Figure& figure) {
    const double value = *figure.value;
    if (!figure.ci95) return {value, value};
    return {std::min(figure.ci95->low, value), std::max(figure.ci95->high, value)};
}

VerdictStatus verdict_of(Side side) {
    switch (side) {
        case Side::inside:
            return VerdictStatus::pass;
        case Side::outside:
            return VerdictStatus::fail;
        case Side::across:
            break;
    }
    return VerdictStatus::inconclusive;
}

/// A figure made with a clock that was held down says so, passed or not.
void add_clock_remark(Assessment& assessment, const Outcome& outcome) {
    if (assessment.reason_id == "device_throttled") return;  // says it already
    const std::string remark = clock_remark(outcome);
    if (remark.empty() || assessment.reason.find(remark) != std::string::npos) return;
    assessment.reason += (assessment.reason.empty() ? "" : "; ") + remark;
    if (assessment.reason_id.empty()) assessment.reason_id = "device_clock";
}

/// A figure against the bound. `first` and `second` are the cases that it came from (second null: one only).
Assessment of_figure(const Requirement& requirement, const Figure& figure, const Outcome& first,
                     const Outcome* second) {
    Assessment assessment;
    assessment.notes = figure.notes;
    assessment.measured = figure.value;
    assessment.measured_text = figure.text;
    assessment.ci95 = figure.ci95;
    assessment.reason = figure.reason;
    assessment.reason_id = figure.reason_id;
    if (!figure.value) {
        if (figure.text.empty()) return assessment;
        const bool inside = text_is_inside(figure.text, requirement.unit, requirement.bound);
        assessment.status = inside ? VerdictStatus::pass : VerdictStatus::fail;
        return assessment;
    }
    assessment.margin = margin_of(*figure.value, requirement.bound);
    if (!figure.ci95 && !figure.stands_alone) {
        assessment.status = VerdictStatus::inconclusive;
        return assessment;
    }
    assessment.status = verdict_of(side_of(judged_interval(figure), requirement.bound));
    if (assessment.status == VerdictStatus::inconclusive) {
        assessment.reason = "the 95 % interval lies across the bound";
        assessment.reason_id = "across_bound";
    }
    // Disturbance speaks against a pass as much as against a fail: neither says anything of the machine.
    for (const Outcome* outcome : {&first, second}) {
        if (outcome == nullptr || !figure.sampled) continue;
        const std::optional<Disturbance> disturbance = disturbance_of(*outcome);
        if (!disturbance) continue;
        assessment.status = VerdictStatus::inconclusive;
        assessment.reason = disturbance->reason;
        assessment.reason_id = disturbance->reason_id;
        break;
    }
    for (const Outcome* outcome : {&first, second})
        if (outcome != nullptr && figure.sampled) add_clock_remark(assessment, *outcome);
    return assessment;
}

Assessment of_candidate(const Requirement& requirement, const Candidate& candidate) {
    if (candidate.metric == nullptr) return of_unmeasured(*candidate.outcome);
    if (candidate.metric->unit != requirement.unit) {
        return without_figure(VerdictStatus::not_measured,
                              fmt::format("the run measured it in {}, the requirement is in {}",
                                          to_string(candidate.metric->unit), to_string(requirement.unit)),
                              "unit_mismatch");
    }
    return of_figure(requirement, figure_of(*candidate.metric, requirement.select.statistic),
                     *candidate.outcome, nullptr);
}

/// From the worst to the best that can become of a requirement.
int rank(VerdictStatus status) {
    switch (status) {
        case VerdictStatus::fail:
            return 0;
        case VerdictStatus::not_measured:
            return 1;
        case VerdictStatus::inconclusive:
            return 2;
        default:
            return 3;
    }
}

bool is_worse(const Assessment& left, const Assessment& right) {
    if (rank(left.status) != rank(right.status)) return rank(left.status) < rank(right.status);
    constexpr double none = std::numeric_limits<double>::infinity();
    return left.margin.value_or(none) < right.margin.value_or(none);
}

Assessment ambiguous(std::size_t count, const Selection& selection) {
    Assessment assessment = without_figure(
        VerdictStatus::inconclusive,
        fmt::format("{} metrics or cases match, and the requirement says neither each nor best", count),
        "several");
    assessment.metric = selection.metric;
    return assessment;
}

bool is_skipped(const Candidate& candidate) {
    return candidate.metric == nullptr && candidate.outcome->status == Status::skipped;
}

bool is_failed(const Candidate& candidate) {
    return candidate.metric == nullptr && candidate.outcome->status == Status::failed;
}

/// What cannot be run here does not stand in the way of the best of the others.
std::vector<Candidate> competing(std::vector<Candidate> candidates) {
    if (std::all_of(candidates.begin(), candidates.end(), is_skipped)) return candidates;
    std::erase_if(candidates, is_skipped);
    return candidates;
}

/// A wrong result fails the requirement, whatever its siblings say: first the first such candidate.
const Candidate* first_failed(const std::vector<Candidate>& candidates) {
    const auto found = std::find_if(candidates.begin(), candidates.end(), is_failed);
    return found == candidates.end() ? nullptr : &*found;
}

Assessment assess_single(const Requirement& requirement, const Evidence& evidence) {
    const Selection& selection = requirement.select;
    std::vector<Candidate> candidates = candidates_for(selection, evidence);
    if (candidates.empty()) {
        Absence absence = why_absent(selection, evidence);
        Assessment assessment = without_figure(VerdictStatus::not_measured, std::move(absence.reason),
                                               std::move(absence.reason_id));
        assessment.metric = labelled_name(selection.metric, selection.labels);
        return assessment;
    }
    const std::vector<Candidate> all = candidates;
    if (const Candidate* failed = first_failed(candidates)) {
        candidates = {*failed};
    } else if (selection.several == Selection::Several::error && candidates.size() > 1) {
        return ambiguous(candidates.size(), selection);
    } else if (selection.several == Selection::Several::best) {
        candidates = competing(std::move(candidates));
    }

    std::optional<Assessment> chosen;
    for (const Candidate& candidate : candidates) {
        Assessment assessment = of_candidate(requirement, candidate);
        assessment.metric = telling_metric_name(selection, candidate, all);
        const bool replaces =
            !chosen || (selection.several == Selection::Several::best ? is_worse(*chosen, assessment)
                                                                      : is_worse(assessment, *chosen));
        if (replaces) chosen = std::move(assessment);
    }
    return *chosen;
}

/// The candidate with the best figure, by the metric's own direction.
Candidate best_of(const std::vector<Candidate>& candidates, Statistic statistic) {
    Candidate best = candidates.front();
    std::optional<double> best_value;
    for (const Candidate& candidate : candidates) {
        if (candidate.metric == nullptr) continue;
        const std::optional<double> value = figure_of(*candidate.metric, statistic).value;
        if (!value) continue;
        const bool lower_is_better = candidate.metric->direction == Direction::lower;
        if (best_value && (lower_is_better ? *value >= *best_value : *value <= *best_value)) continue;
        best = candidate;
        best_value = value;
    }
    return best;
}

/// One side of a ratio: what of its candidates takes part, or why the whole ratio is settled already.
struct RatioSide {
    std::vector<Candidate> candidates;
    std::optional<Assessment> settled;
};

RatioSide ratio_side(const Selection& selection, const Evidence& evidence) {
    RatioSide side;
    side.candidates = candidates_for(selection, evidence);
    if (side.candidates.empty()) {
        Absence absence = why_absent(selection, evidence);
        side.settled = without_figure(VerdictStatus::not_measured, std::move(absence.reason),
                                      std::move(absence.reason_id));
    } else if (const Candidate* failed = first_failed(side.candidates)) {
        side.settled = of_unmeasured(*failed->outcome);
    } else if (selection.several == Selection::Several::error && side.candidates.size() > 1) {
        side.settled = ambiguous(side.candidates.size(), selection);
    } else if (selection.several == Selection::Several::best) {
        side.candidates = {best_of(competing(std::move(side.candidates)), selection.statistic)};
    }
    return side;
}

std::string device_of(const Candidate& candidate) {
    const Labels& labels =
        candidate.metric != nullptr ? candidate.metric->labels : candidate.outcome->the_case.parameters;
    const Labels::const_iterator found = labels.find("device");
    return found == labels.end() ? std::string() : found->second;
}

/// Where both sides say each:gpu, a device is divided by itself and by no other.
bool belong_together(const Requirement& requirement, const Candidate& of, const Candidate& to) {
    for (const Selection* selection : {&requirement.select, &*requirement.divided_by}) {
        const Labels::const_iterator device = selection->labels.find("device");
        if (device == selection->labels.end() || device->second != "each:gpu") return true;
    }
    return device_of(of) == device_of(to);
}

Assessment of_pair(const Requirement& requirement, const Candidate& of, const Candidate& to) {
    for (const Candidate* side : {&of, &to}) {
        if (side->metric == nullptr) return of_unmeasured(*side->outcome);
    }
    const Figure figure =
        ratio_figure(*of.metric, requirement.select.statistic, *to.metric, requirement.divided_by->statistic);
    return of_figure(requirement, figure, *of.outcome, to.outcome);
}

Assessment assess_ratio(const Requirement& requirement, const Evidence& evidence) {
    const Selection& of = requirement.select;
    const Selection& to = *requirement.divided_by;
    const RatioSide of_side = ratio_side(of, evidence);
    const RatioSide to_side = ratio_side(to, evidence);
    const std::string name =
        labelled_name(of.metric, of.labels) + " / " + labelled_name(to.metric, to.labels);

    // A failure on either side tells more than something missing on the other.
    const std::optional<Assessment>* settled = nullptr;
    for (const RatioSide* side : {&of_side, &to_side}) {
        if (!side->settled) continue;
        if (settled == nullptr || is_worse(*side->settled, **settled)) settled = &side->settled;
    }
    if (settled != nullptr) {
        Assessment assessment = **settled;
        assessment.metric = name;
        return assessment;
    }

    std::optional<Assessment> worst;
    for (const Candidate& numerator : of_side.candidates) {
        bool paired = false;
        for (const Candidate& denominator : to_side.candidates) {
            if (!belong_together(requirement, numerator, denominator)) continue;
            paired = true;
            Assessment assessment = of_pair(requirement, numerator, denominator);
            assessment.metric = telling_metric_name(of, numerator, of_side.candidates) + " / " +
                                telling_metric_name(to, denominator, to_side.candidates);
            if (!worst || is_worse(assessment, *worst)) worst = std::move(assessment);
        }
        if (paired) continue;
        Assessment unpaired = without_figure(
            VerdictStatus::not_measured,
            fmt::format("{} was not measured on {}", to.metric, device_of(numerator)), "no_case");
        unpaired.metric = name;
        if (!worst || is_worse(unpaired, *worst)) worst = std::move(unpaired);
    }
    return *worst;
}

}  // namespace

Assessment assess(const Requirement& requirement, const Evidence& evidence) {
    if (requirement.divided_by) return assess_ratio(requirement, evidence);
    return assess_single(requirement, evidence);
}

}  // namespace assay
