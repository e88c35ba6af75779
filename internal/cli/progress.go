package cli

import (
	"encoding/json"
	"fmt"
	"sync"
	"time"
	"unicode/utf8"

	"github.com/schollz/progressbar/v3"

	"github.com/fernetcol/fernetcol/reencrypt"
)

// progressInterval is how often a line of JSON says how far the work is.
const progressInterval = 5 * time.Second

// barInterval is how often the bar is drawn, at most.
const barInterval = 100 * time.Millisecond

// A progress shows how far the work on one table is: as a bar on a terminal, else
// as lines of JSON. Its methods may be called at once.
type progress struct {
	a     *app
	table string
	show  func(reencrypt.Progress) // nil shows nothing

	mu   sync.Mutex
	bar  *progressbar.ProgressBar
	last reencrypt.Progress
	said time.Time // when a line was written

	unsaid bool // no line was written for last
}

func (a *app) newProgress(f *tableFlags, table string) *progress {
	p := &progress{a: a, table: table}
	switch {
	case f.quiet:
	case a.ErrWidth > 0 && !f.json:
		p.show = p.draw
	default:
		p.show = p.line
	}
	return p
}

// report is the [reencrypt.Options.Progress] of the table.
func (p *progress) report(now reencrypt.Progress) {
	if p.show == nil {
		return
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.last.Phase != now.Phase || p.last.Pass != now.Pass {
		p.finishPhase()
	}
	p.show(now)
	p.last = now
}

// finish shows the end of the work, whatever it was.
func (p *progress) finish() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.finishPhase()
}

// aside clears the bar's line for what say prints.
func (p *progress) aside(say func() error) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.bar != nil {
		p.bar.Clear()
	}
	return say()
}

func (p *progress) finishPhase() {
	if p.bar != nil {
		// Not Finish: a phase that was stopped has not come to its end.
		p.bar.Exit()
		fmt.Fprintln(p.a.Err)
		p.bar = nil
	}
	if p.unsaid {
		p.writeLine(p.last)
	}
	p.last, p.said, p.unsaid = reencrypt.Progress{}, time.Time{}, false
}

// phaseNames are what a person reads.
var phaseNames = map[reencrypt.Phase]string{
	reencrypt.PhaseRewrite: "re-encrypting",
	reencrypt.PhaseCensus:  "counting",
}

// draw shows a bar. The total is the database's estimate, and may be too low.
func (p *progress) draw(now reencrypt.Progress) {
	total := max(now.Total, now.Counts.Rows, 1)
	description := p.describe(now, total)
	if p.bar == nil {
		p.bar = progressbar.NewOptions64(total,
			progressbar.OptionSetWriter(p.a.Err),
			progressbar.OptionSetDescription(description),
			progressbar.OptionSetWidth(barWidth),
			progressbar.OptionShowCount(),
			progressbar.OptionThrottle(barInterval),
			progressbar.OptionSetPredictTime(false), // of all rows, where a resumed run has some already
			progressbar.OptionSetElapsedTime(false),
			progressbar.OptionUseANSICodes(true),
		)
	}
	if p.bar.GetMax64() != total {
		p.bar.ChangeMax64(total)
	}
	p.bar.Describe(description)
	p.bar.Set64(now.Counts.Rows)
}

// barWidth is how many columns the bar itself has.
const barWidth = 20

// describe is the text before the bar, as much of it as the terminal has room for: a
// line that is broken in two cannot be drawn over.
func (p *progress) describe(now reencrypt.Progress, total int64) string {
	rest := len(fmt.Sprintf("  100%% || (%d/%d)  ", total, total)) + barWidth
	short := fmt.Sprintf("%s: %s", p.table, phaseNames[now.Phase])
	for _, text := range []string{short + pace(now), short, phaseNames[now.Phase]} {
		if utf8.RuneCountInString(text)+rest <= p.a.ErrWidth {
			return text
		}
	}
	return ""
}

// pace is the speed and the time left, for people.
func pace(now reencrypt.Progress) string {
	if now.Rate <= 0 {
		return ""
	}
	text := fmt.Sprintf(", %.0f rows/s", now.Rate)
	if now.Left > 0 {
		text += fmt.Sprintf(", %s left", now.Left.Round(time.Second))
	}
	return text
}

// progressLine is a line of JSON on standard error.
type progressLine struct {
	Event string          `json:"event"` // "progress"
	Time  time.Time       `json:"time"`
	Table string          `json:"table"`
	Phase reencrypt.Phase `json:"phase"`
	Pass  int             `json:"pass"`
	reencrypt.Counts
	Total int64    `json:"total"` // estimated
	Rate  float64  `json:"rows_per_second"`
	Left  *float64 `json:"seconds_left"` // null if it cannot be told
}

// line writes a line of JSON for the first report of a phase, now and then, and, by
// finishPhase, for the last.
func (p *progress) line(now reencrypt.Progress) {
	p.unsaid = time.Since(p.said) < progressInterval
	if !p.unsaid {
		p.writeLine(now)
		p.said = time.Now()
	}
}

func (p *progress) writeLine(now reencrypt.Progress) {
	line := progressLine{
		Event: "progress", Time: time.Now().UTC().Truncate(time.Millisecond),
		Table: p.table, Phase: now.Phase, Pass: now.Pass, Counts: now.Counts,
		Total: now.Total, Rate: float64(int64(now.Rate*10)) / 10,
	}
	if now.Left >= 0 {
		seconds := now.Left.Round(time.Second).Seconds()
		line.Left = &seconds
	}
	data, err := json.Marshal(line)
	if err != nil {
		panic("fernetcol: a report of progress is no JSON") // of plain numbers
	}
	fmt.Fprintf(p.a.Err, "%s\n", data)
}
