package sim

import (
	"fmt"
	"strconv"
	"time"

	"go.etcd.io/bbolt"

	"entrasim/directory"
)

// MailSender is whom notifications come from (application-provisioning-quarantine-status.md).
const MailSender = "azure-noreply@microsoft.com"

// Mail is a notification as Microsoft would send it. It is kept to be looked at and goes nowhere.
type Mail struct {
	ID              string           `json:"id"`
	Time            time.Time        `json:"time"`
	ApplicationID   string           `json:"applicationId"`
	ApplicationName string           `json:"applicationName"`
	From            string           `json:"from"`
	To              string           `json:"to"`
	Subject         string           `json:"subject"`
	Body            string           `json:"body"`
	Reason          QuarantineReason `json:"reason"`
}

// mail tells the administrator that a quarantine was imposed, or that its reason is another now. Failures of single objects
// cause none. j.mu is held.
func (o *ending) mail(imposed bool, q *Quarantine) {
	subject := "Provisioning of " + o.app.DisplayName + " is in quarantine"
	if !imposed {
		subject = "The reason for the quarantine of " + o.app.DisplayName + " has changed"
	}
	body := fmt.Sprintf("The provisioning job of %s is in quarantine. Reason: %s.\n%s\nThe next attempt is due at %s.", o.app.DisplayName, q.Reason, q.Error.Text(), q.NextAttempt.UTC().Format(time.RFC3339))
	if q.Reason == QuarantineDeletes {
		subject = "Provisioning of " + o.app.DisplayName + " met the threshold for deletions"
		body += "\nAllow deletes on the application's Provisioning page carries them out. To reject them, bring the objects back into scope and restart provisioning."
	}
	o.write(subject, body, q.Reason)
}

// mailDisabled tells that the job was given up.
func (o *ending) mailDisabled(q *Quarantine) {
	o.write("Provisioning of "+o.app.DisplayName+" was disabled", fmt.Sprintf(
		"The provisioning job of %s was in quarantine since %s. It is disabled; Start provisioning begins again.", o.app.DisplayName, q.SeriesBegan.UTC().Format(time.RFC3339)), q.Reason)
}

// write keeps a mail when the application asks for notifications and says whom to send them to.
func (o *ending) write(subject, body string, reason QuarantineReason) {
	set := o.s.settings(o.j)
	if !set.NotificationEnabled || set.NotificationEmail == "" {
		return
	}
	o.mails = append(o.mails, &Mail{Time: o.now, ApplicationID: o.app.ID, ApplicationName: o.app.DisplayName, From: MailSender,
		To: set.NotificationEmail, Subject: subject, Body: body, Reason: reason})
}

// putMail gives a mail its number and stores it.
func putMail(tx *bbolt.Tx, m *Mail) error {
	b := tx.Bucket(bucketSim).Bucket(bucketMails)
	n, err := b.NextSequence()
	if err != nil {
		return err
	}
	m.ID = strconv.FormatUint(n, 10)
	return putValue(b, key(n), m)
}

// Mails returns the notification mails, newest first; a limit of 0 means 100.
func (s *Service) Mails(cursor string, limit int) (directory.Page[Mail], error) {
	return numbered[Mail](s.db, bucketMails, cursor, limit)
}
